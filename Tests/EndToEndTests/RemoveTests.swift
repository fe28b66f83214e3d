import Libc
import Platform
import TestSupport
import Testing

@Suite("remove", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct RemoveTests {
    @Test("deletes one container or several, and nothing else", arguments: ["remove", "rm"])
    func several(_ word: String) throws {
        let program = try Program.with("a")
        try program.install("b")
        try program.install("c")
        try program.succeed(word, "a", "b")
        #expect(try program.names() == ["c"])
        #expect(access(program.root(of: "a").parent.rawValue, F_OK) != 0)
    }

    @Test("deletes what nobody may read or write")
    func permissions() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir -p \"$1/x/y\"; touch \"$1/x/y/z\"; chmod 0 \"$1/x/y\" \"$1/x\"",
            program.root(of: "box").rawValue)
        try program.succeed("remove", "box")
        #expect(try program.names().isEmpty)
    }

    @Test("ends what runs in the container first")
    func busy() throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; cat")
        _ = try session.read(until: "ready")
        try program.succeed("remove", "box")
        #expect(try session.finish(timeout: 10).status != .success)
        #expect(try program.names().isEmpty)
    }

    @Test("does not mind another removal that tidies up at the same time")
    func together() throws {
        let program = try Program.with("one")
        for name in ["two", "three"] { try program.install(name) }
        for name in ["one", "two", "three"] {
            try Run.shell(
                "cd \"$1\" && for i in $(seq 300); do mkdir -p d$i/e; : >d$i/e/f; done",
                program.root(of: name).rawValue)
        }
        let one = try program.start("remove", "one")
        let two = try program.start("remove", "two")
        let three = try program.run("remove", "three")
        #expect(three.status == .success, "\(three.stderr)")
        #expect(try one.finish(timeout: 30).status == .success)
        #expect(try two.finish(timeout: 30).status == .success)
        #expect(try program.names().isEmpty)
    }

    @Test("leaves a directory of the host alone that was bound into a session")
    func bound() throws {
        let program = try Program.with("box")
        try Run.succeeding("mkdir", [(Scratch.path / "outside").rawValue])
        let canary = try Canary(in: Scratch.path / "outside")
        try program.succeed("login", "box", "-b", "\(canary.path.parent.rawValue):/mnt/host", "--", "true")
        try program.succeed("remove", "box")
        canary.expectAlive()
    }

    @Test("stops at a mount of the same file system that somebody else put into the tree")
    func foreignMount() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1/outside\"", Scratch.path.rawValue)
        let canary = try Canary(in: Scratch.path / "outside")
        // In a mount namespace of its own, so that nothing is left when the test ends.
        let script = """
            mount --bind "$1/outside" "$2/mnt"
            "$3" remove box; echo "status $?"
            ls "$1/outside"
            """
        try Run.shell("mkdir -p \"$1/mnt\"", program.root(of: "box").rawValue)
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                program.root(of: "box").rawValue, BuiltBinary.path,
            ], environment: program.environment)
        #expect(outcome.stdout.contains("canary"), "\(outcome.stdout) \(outcome.stderr)")
        canary.expectAlive()
    }
}
