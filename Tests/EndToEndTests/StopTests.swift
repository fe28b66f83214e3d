import Libc
import Platform
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
        let session = try program.start(
            "login", "box", "--", "sh", "-c", "trap '' TERM HUP INT; echo ready; while :; do sleep 1; done")
        _ = try session.read(until: "ready")
        let start = Clock.now
        try program.succeed("stop", "--time", "2", "box")
        #expect((2..<6).contains(Clock.now - start), "\(Clock.now - start)")
        _ = try session.finish(timeout: 10)
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    @Test("stop ends an interactive shell at once")
    func interactive() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box")
        try terminal.type("echo re''ady\n")
        try terminal.wait(for: "ready")
        let start = Clock.now
        try program.succeed("stop", "box")
        #expect(Clock.now - start < 5)
        _ = try terminal.finish()
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
