import Libc
import Platform
import TestSupport
import Testing

@Suite("kill and unmount", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct KillTests {
    @Test("end a session and leave nothing", arguments: ["kill", "k", "stop", "unmount", "umount", "um"])
    func end(_ word: String) throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; sleep 600")
        _ = try session.read(until: "ready")
        try program.succeed(word, "box")
        #expect(try session.finish(timeout: 10).status != .success)
        #expect(try program.succeed("ps", "-q").lines.isEmpty)
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    @Test("end what ignores SIGTERM", arguments: ["kill", "unmount"])
    func stubborn(_ word: String) throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c", "trap '' TERM HUP INT; echo ready; while :; do sleep 1; done")
        _ = try session.read(until: "ready")
        try program.succeed(word, "box")
        _ = try session.finish(timeout: 20)
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    @Test("unmount lets a session say goodbye")
    func gentle() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c",
            "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
        _ = try session.read(until: "ready")
        try program.succeed("unmount", "box")
        #expect(try session.finish(timeout: 10).stdout.contains("bye"))
    }

    @Test("kill takes the process id that ps shows", .needsProgram("python3"))
    func byProcess() throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; sleep 600")
        _ = try session.read(until: "ready")
        let listing = try program.succeed("ps", "--json").output
        let pid = try Run.succeeding(
            "python3", ["-c", "import json,sys; print(json.load(sys.stdin)['sessions'][0]['pid'])"],
            input: listing)
        try program.succeed("kill", String(pid.dropLast()))
        #expect(try session.finish(timeout: 10).status != .success)
    }

    @Test("end one session, and not what another has left in the same PID namespace")
    func otherSession() throws {
        var program = try Program.with("box")
        program.environment["CD_USE_NS"] = "1"
        let first = try program.start("login", "box", "--", "sh", "-c", "echo ready; read x")
        _ = try first.read(until: "ready")
        let length = "\(Int.random(in: 100_000_000...2_000_000_000))"
        try program.succeed(
            "login", "box", "--", "sh", "-c",
            "setsid sleep \(length) <&- >&- 2>&- & while [ $(cat /proc/$!/comm) != sleep ]; do sleep 0.05; done"
        )
        func left() -> Int {
            Processes.withCommand("sleep", length).count { ProcessStatus(of: $0.pid)?.hasEnded == false }
        }
        #expect(left() == 1)
        try program.succeed("kill", "\(first.pid)")
        #expect(try first.finish(timeout: 10).status != .success)
        #expect(left() == 1)
        try program.succeed("kill", "box")
        #expect(left() == 0)
    }

    @Test("do nothing to another container")
    func other() throws {
        let program = try Program.with("a")
        try program.install("b")
        let stays = try program.start("login", "b", "--", "sh", "-c", "echo ready; cat")
        _ = try stays.read(until: "ready")
        let goes = try program.start("login", "a", "--", "sh", "-c", "echo ready; sleep 600")
        _ = try goes.read(until: "ready")
        try program.succeed("kill", "a")
        _ = try goes.finish(timeout: 10)
        #expect(try program.succeed("ps", "-q").lines == ["b"])
        #expect(try stays.finish().status == .success)
    }

    @Test("are content with a container that does not run", arguments: ["kill", "unmount"])
    func idle(_ word: String) throws {
        let program = try Program.with("box")
        try program.succeed(word, "box")
        #expect(try program.inside("box", "echo fine") == "fine")
    }
}
