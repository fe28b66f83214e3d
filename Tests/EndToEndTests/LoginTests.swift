import Libc
import Platform
import TestSupport
import Testing

@Suite("login", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct LoginTests {
    @Test("leaves the guest's exit status", arguments: [0, 1, 7, 255])
    func status(_ code: Int32) throws {
        let program = try Program.with("box")
        #expect(try program.run("login", "box", "--", "sh", "-c", "exit \(code)").status.code == code)
    }

    @Test("leaves 127 for a command that is not there and 126 for one that cannot run")
    func notFound() throws {
        let program = try Program.with("box") { $0.add("bin/text", text: "no program", mode: 0o644) }
        #expect(try program.run("login", "box", "--", "nothing-like-it").status == .notFound)
        #expect(try program.run("login", "box", "--", "/bin/text").status == .notExecutable)
    }

    @Test(
        "leaves 128 and the number of the signal that ended the command",
        arguments: [SIGTERM, SIGKILL, SIGSEGV])
    func killed(_ signal: Int32) throws {
        let program = try Program.with("box")
        let outcome = try program.run("login", "box", "--", "sh", "-c", "kill -\(signal) $$")
        #expect(outcome.status == .killed(by: signal))
    }

    @Test("passes arguments as they are", arguments: ["$HOME; id", "a  b", "", "*", "'\"\\", "ü\u{1}"])
    func arguments(_ word: String) throws {
        let program = try Program.with("box")
        #expect(try program.succeed("login", "box", "--", "printf", "%s|", word).stdout == "\(word)|")
    }

    @Test("passes standard input and output through, byte for byte")
    func pipes() throws {
        let program = try Program.with("box")
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try program.succeed("login", "box", "--", "cat", input: bytes).output == bytes)
    }

    @Test(
        "enters as the user that is asked for",
        arguments: [
            ("user", "1000:1000"), ("1000", "1000:1000"), ("user:wheel", "1000:10"), ("12:34", "12:34"),
            ("root", "0:0"),
        ])
    func user(_ name: String, identity: String) throws {
        let program = try Program.with("box")
        let outcome = try program.succeed(
            "login", "box", "--user", name, "--", "sh", "-c", "echo $(id -u):$(id -g)")
        #expect(outcome.stdout == identity + "\n")
    }

    @Test("gives a user the supplementary groups of the guest's accounts")
    func groups() throws {
        let program = try Program.with("box")
        #expect(try program.succeed("login", "box", "-u", "user", "--", "id", "-G").stdout == "1000 10\n")
    }

    @Test("starts in the user's home, or where it is told")
    func workDirectory() throws {
        let program = try Program.with("box")
        #expect(try program.succeed("login", "box", "--", "pwd").stdout == "/root\n")
        #expect(try program.succeed("login", "box", "-u", "user", "--", "pwd").stdout == "/home/user\n")
        #expect(try program.succeed("login", "box", "--work-dir", "/etc", "--", "pwd").stdout == "/etc\n")
    }

    @Test("carries none of the host's variables in, and sets those of a login")
    func environment() throws {
        var program = try Program.with("box")
        program.environment["SECRET_OF_THE_HOST"] = "1"
        program.environment["TERM"] = "vt100"
        let variables = try program.inside("box", "env")
        #expect(!variables.contains("SECRET_OF_THE_HOST"))
        #expect(variables.contains("HOME=/root") && variables.contains("TERM=vt100"))
        #expect(variables.contains("PATH="))
    }

    @Test("lets --env win over the image, and the image over the defaults")
    func precedence() throws {
        let program = Program()
        try program.install("box", configuration: #"{"Env":["A=image","B=image"],"Cmd":["/bin/sh"]}"#)
        let outcome = try program.succeed(
            "login", "box", "-e", "B=mine", "--env=C=c", "--", "sh", "-c", "echo $A$B$C")
        #expect(outcome.stdout == "imageminec\n")
    }

    @Test("binds a directory, and read-only when told")
    func bind() throws {
        let program = try Program.with("box")
        let shared = Scratch.path / "shared"
        try Run.shell("mkdir \"$1\"; echo host >\"$1/file\"", shared.rawValue)
        let read = try program.succeed(
            "login", "box", "-b", "\(shared.rawValue):/mnt/x", "--", "cat", "/mnt/x/file")
        #expect(read.stdout == "host\n")
        let write = try program.run(
            "login", "box", "-b", "\(shared.rawValue):/mnt/x:ro", "--", "sh", "-c", "echo guest >/mnt/x/file")
        #expect(write.status != .success)
        #expect(try Run.shell("cat \"$1/file\"", shared.rawValue) == "host\n")
    }

    @Test("has devices, proc, sys, pts, shm and run of its own")
    func systemMounts() throws {
        let program = try Program.with("box")
        let script = """
            echo >/dev/null; head -c 3 /dev/zero | wc -c; head -c 1 /dev/urandom | wc -c
            [ -d /proc/self ] && [ -d /sys/kernel ] && [ -c /dev/pts/ptmx ] && echo there
            touch /run/x /dev/shm/x && echo writable; touch /sys/x 2>/dev/null || echo sealed
            """
        #expect(try program.inside("box", script) == "3\n1\nthere\nwritable\nsealed")
    }

    @Test("shares the host's /tmp unless told not to")
    func temporary() throws {
        let program = try Program.with("box")
        let name = "chroot-distro-test-\(Scratch.path.lastComponent)"
        try TestImage.write("x", to: HostPath("/tmp/\(name)"))
        defer { unlink("/tmp/\(name)") }
        #expect(try program.run("login", "box", "--", "test", "-e", "/tmp/\(name)").status == .success)
        let own = try program.run("login", "box", "--no-shared-tmp", "--", "test", "-e", "/tmp/\(name)")
        #expect(own.status == .failure)
    }

    @Test("really sets the host name, inside only")
    func hostName() throws {
        let program = try Program.with("box")
        let before = try Run.succeeding("uname", ["-n"])
        let outcome = try program.succeed("login", "box", "--hostname", "phone", "--", "hostname")
        #expect(outcome.stdout == "phone\n")
        #expect(try Run.succeeding("uname", ["-n"]) == before)
    }

    @Test("prints the command and does nothing with --get-chroot-cmd")
    func printed() throws {
        let program = try Program.with("box")
        let before = try program.snapshot()
        let outcome = try program.succeed("login", "box", "--get-chroot-cmd", "--", "touch", "/made")
        #expect(outcome.stdout.contains("chroot") && outcome.stdout.contains("touch"))
        #expect(try program.snapshot() == before)
        #expect(try program.succeed("ps", "--quiet").stdout.isEmpty)
    }

    @Test("carries a signal to the guest")
    func signals() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c",
            "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done")
        _ = try session.read(until: "ready")
        session.signal(SIGTERM)
        let outcome = try session.finish(timeout: 20)
        #expect(outcome.stdout.contains("caught"))
        #expect(outcome.status == ExitStatus(code: 5))
    }

    @Test("shows the second session what the first one mounted")
    func twoSessions() throws {
        let program = try Program.with("box")
        let first = try program.start(
            "login", "box", "--", "sh", "-c", "echo one >/run/seen; echo ready; cat")
        _ = try first.read(until: "ready")
        #expect(try program.inside("box", "cat /run/seen") == "one")
        _ = try first.finish()
        #expect(try program.inside("box", "cat /run/seen 2>/dev/null || echo fresh") == "fresh")
    }

    @Test("keeps the container for what was left running, and says so")
    func leftRunning() throws {
        let program = try Program.with("box")
        let outcome = try program.succeed(
            "login", "box", "--", "sh", "-c", "sleep 600 >/dev/null 2>&1 </dev/null &")
        #expect(outcome.stderr.contains("chroot-distro kill box"), "\(outcome.stderr)")
        #expect(try program.succeed("ps", "-q").lines == ["box"])
        try program.succeed("kill", "box")
        #expect(try program.succeed("ps", "-q").lines.isEmpty)
    }

    @Test("never changes the host's mount table, while it runs and afterwards")
    func mountTable() throws {
        let program = try Program.with("box")
        let shared = (Scratch.path / "shared").rawValue
        try Run.succeeding("mkdir", [shared])
        try Mountinfo.unchanged {
            let before = Mountinfo.text()
            let session = try program.start(
                "login", "box", "-b", "\(shared):/mnt", "--", "sh", "-c", "echo ready; cat")
            _ = try session.read(until: "ready")
            #expect(Mountinfo.settles(at: before))
            _ = try session.finish()
        }
    }

    @Test("leaves nothing mounted and nobody running when it is killed")
    func killedSupervisor() throws {
        let program = try Program.with("box")
        try Mountinfo.unchanged {
            let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; sleep 600")
            _ = try session.read(until: "ready")
            session.signal(SIGKILL)
            #expect(try session.finish(timeout: 20).status == .killed(by: SIGKILL))
            try program.succeed("kill", "box")
        }
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
        #expect(try program.inside("box", "echo again") == "again")
    }
}
