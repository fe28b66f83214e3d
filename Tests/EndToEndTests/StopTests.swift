import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("stop, kill --signal and exec", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct StopTests {
    private static let image =
        #"{"StopSignal":"SIGUSR1","Cmd":["/bin/sh","-c","trap 'echo asked; exit 0' USR1; trap 'echo term' TERM; echo up; while :; do sleep 0.1; done"]}"#

    @Test("stop sends the image's signal, and nothing else to a command that heeds it")
    func stopSignal() throws {
        let program = Program()
        try program.install("box", configuration: Self.image)
        let session = try program.start("run", "box")
        _ = try session.read(until: "up")
        try program.succeed("stop", "box")
        let outcome = try session.finish(timeout: 10)
        #expect(outcome.status == .success)
        #expect(outcome.stdout.contains("asked") && !outcome.stdout.contains("term"), "\(outcome.stdout)")
    }

    @Test("stop uses force when the time is over")
    func stubborn() throws {
        let program = try Program.with("box")
        try program.install("other")
        func start(_ name: String) throws -> Running {
            let session = try program.start(
                "login", name, "--", "sh", "-c", "trap '' TERM HUP INT; echo ready; while :; do sleep 1; done"
            )
            _ = try session.read(until: "ready")
            return session
        }
        let session = try start("box")
        let other = try start("other")
        let longer = try program.start("stop", "--time", "300", "other")
        let start = Clock.now
        try program.succeed("stop", "--time", "2", "box")
        #expect(Clock.now - start >= 2, "\(Clock.now - start)")
        #expect(try session.finish().status.code == 137)
        // Whoever began earlier and has more patience is patient still.
        #expect(ProcessStatus(of: longer.pid)?.hasEnded == false)
        try program.succeed("kill", "other")
        #expect(try longer.finish().status == .success)
        #expect(try other.finish().status.code == 137)
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    /// Ends when it has been asked and `/go` is there.
    private static let slow = """
        trap '' HUP; trap "trap '' TERM USR1; : >/asked; while [ ! -e /go ]; do sleep 0.1; done; : >/done; exit 42" TERM
        while :; do sleep 0.1; done
        """

    /// Lets a slow one end once it has been asked, and `stopping` is waiting for it.
    private func letGo(_ program: Program, _ stopping: borrowing Running) throws {
        let root = program.root(of: "box")
        let pid = stopping.pid
        try Waiting.require("it has been asked") { access((root / "asked").rawValue, F_OK) == 0 }
        try Self.requirePatience(of: pid)
        try TestImage.write("", to: root / "go")
    }

    /// Waits until a command waits for processes.
    private static func requirePatience(of pid: pid_t) throws {
        try Waiting.require("stop is patient") {
            try Run.shell("ls -l /proc/$1/fd", "\(pid)").contains("anon_inode:[pidfd]")
        }
    }

    @Test("stop leaves what a session left behind the time that is left")
    func leftBehind() throws {
        let program = try Program.with("box")
        try TestImage.write(
            Self.slow.replacing("\nwhile", with: "\n: >/on; while"), to: program.root(of: "box") / "slow")
        let session = try program.start(
            "login", "box", "--", "sh", "-c",
            "setsid sh /slow </dev/null >/dev/null 2>&1 & while [ ! -e /on ]; do sleep 0.1; done; echo up; sleep 600"
        )
        _ = try session.read(until: "up")
        let stopping = try program.start("stop", "--time", "300", "box")
        try letGo(program, stopping)
        let outcome = try stopping.finish()
        #expect(outcome.status == .success && outcome.stderr.contains("Stopped box"), "\(outcome.stderr)")
        #expect(access((program.root(of: "box") / "done").rawValue, F_OK) == 0)
        _ = try session.finish()
    }

    @Test("stop asks a single session as it asks a container, with the same patience")
    func oneSession() throws {
        let program = Program()
        try program.install("box", configuration: #"{"StopSignal":"SIGUSR1","Cmd":["/bin/sh"]}"#)
        let polite = Self.slow.replacing(" TERM\nwhile", with: " USR1\necho ready; while")
        let session = try program.start("run", "box", "--", "sh", "-c", polite)
        let other = try program.start("login", "box", "--", "sh", "-c", "echo ready; read x; exit 5")
        _ = try session.read(until: "ready")
        _ = try other.read(until: "ready")
        let stopping = try program.start("stop", "--time", "300", "\(session.pid)")
        try letGo(program, stopping)
        #expect(try stopping.finish().status == .success)
        #expect(try session.finish().status.code == 42)
        let stubborn = try program.start(
            "login", "box", "--", "sh", "-c", "trap '' TERM HUP USR1; echo ready; while :; do sleep 1; done")
        _ = try stubborn.read(until: "ready")
        let start = Clock.now
        try program.succeed("stop", "--time", "2", "\(stubborn.pid)")
        #expect(Clock.now - start >= 2, "\(Clock.now - start)")
        #expect(try stubborn.finish().status.code == 137)
        #expect(try other.finish(input: Array("\n".utf8)).status.code == 5)
    }

    @Test("stop keeps nobody out while it is patient, and another stop does not end its patience")
    func twice() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c", Self.slow.replacing("\nwhile", with: "\necho ready; while"))
        _ = try session.read(until: "ready")
        let first = try program.start("stop", "--time", "300", "box")
        let firstPID = first.pid
        try Self.requirePatience(of: firstPID)
        #expect(try program.inside("box", "echo in") == "in")
        #expect(ProcessStatus(of: firstPID)?.hasEnded == false, "it was waited for")
        let second = try program.start("stop", "--time", "300", "box")
        try letGo(program, second)
        #expect(try session.finish().status.code == 42)
        #expect(try first.finish().status == .success)
        #expect(try second.finish().status == .success)
    }

    @Test("stop ends an interactive shell at once")
    func interactive() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box")
        try terminal.type("echo re''ady\n")
        try terminal.wait(for: "ready")
        try program.succeed("stop", "--time", "300", "box")
        // By no force: it heeds a hang-up.
        #expect(try terminal.finish().code == 129)
    }

    @Test("kill --signal reaches the command of each session and ends nothing by itself")
    func signal() throws {
        let program = try Program.with("box")
        let script =
            "trap 'echo got' HUP; echo ready; i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done"
        let first = try program.start("login", "box", "--", "sh", "-c", script)
        let second = try program.start("login", "box", "--", "sh", "-c", script)
        _ = try first.read(until: "ready")
        _ = try second.read(until: "ready")
        try program.succeed("kill", "-s", "HUP", "box")
        _ = try first.read(until: "got")
        _ = try second.read(until: "got")
        try program.succeed("kill", "--signal", "sigkill", "\(first.pid)")
        #expect(try first.finish(timeout: 10).status.code == 137)
        #expect(try program.succeed("ps", "--json").stdout.contains("\(second.pid)"))
        try program.succeed("kill", "--all")
        #expect(try second.finish(timeout: 10).status != .success)
        try program.succeed("kill", "--all")
        try program.refuse("kill", "-s", "HUP", "box", naming: ["not running"])
    }

    @Test(
        "kill names one thing or all",
        arguments: [["kill"], ["kill", "--all", "box"], ["kill", "-s", "NOPE", "box"]])
    func misuse(_ words: [String]) throws {
        let program = try Program.with("box")
        let outcome = try Run.program(BuiltBinary.path, words, environment: program.environment)
        #expect(outcome.status == .failure && outcome.stderr.contains("Error:"), "\(outcome.stderr)")
    }

    @Test("stop and kill take several names")
    func several() throws {
        let program = try Program.with("a")
        try program.install("b")
        try program.succeed("login", "-d", "a", "--", "sleep", "600")
        try program.succeed("login", "-d", "b", "--", "sleep", "600")
        try program.succeed("stop", "a", "b")
        #expect(try program.succeed("ps", "-q").lines.isEmpty)
    }

    @Test("kill and stop do the rest when one thing fails", arguments: ["kill", "stop"])
    func oneFails(_ command: String) throws {
        let program = try Program.with("a")
        try program.succeed("login", "-d", "a", "--", "sleep", "600")
        let outcome = try program.run(command, "none", "a", "4194304")
        #expect(outcome.status == .failure)
        let errors = outcome.stderr.split(separator: "\n").filter { $0.hasPrefix("Error:") }
        #expect(errors.count == 2 && errors.first?.contains("none") == true, "\(outcome.stderr)")
        #expect(try program.succeed("ps", "-q").lines.isEmpty)
    }

    @Test("kill --all passes over what has just ended")
    func justEnded() throws {
        let program = try Program.with("a")
        try program.install("b")
        let running = try program.start(
            "login", "b", "--", "sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.1; done")
        _ = try running.read(until: "ready")
        // A session that has nobody in it, as one that is about to end.
        let data = program.directory / "data/chroot-distro"
        let layout = StateLayout(data: data, cache: program.directory / "cache", run: data / "run")
        let nobody = ProcessIdentity(pid: getpid(), startTime: 1, bootID: "none")
        let ticket = try SessionRegistry.open(try ContainerName("a"), in: layout).enter(
            SessionRecord(nobody, kind: .login, user: "root", command: [], started: 0))
        #expect(try program.run("kill", "-s", "USR1", "a").stderr.contains("not running"))
        let outcome = try program.run("kill", "--all", "-s", "USR1")
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(try running.finish(timeout: 10).status.code == 9)
        ticket.leave()
    }

    @Test("exec joins what runs, and starts nothing")
    func exec() throws {
        let program = try Program.with("box")
        try program.refuse("exec", "box", "--", "true", naming: ["not running"])
        #expect(try program.run("exec", "box").status != .success)
        let session = try program.start(
            "login", "box", "--hostname", "inner", "--", "sh", "-c", "echo ready; read x")
        _ = try session.read(until: "ready")
        let outcome = try program.run("exec", "box", "sh", "-c", "echo inside; exit 7")
        #expect(outcome.status.code == 7 && outcome.stdout == "inside\n", "\(outcome.stderr)")
        _ = try session.finish(input: Array("\n".utf8))
    }
}
