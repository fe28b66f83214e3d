import Platform
import TestSupport
import Testing

@Suite("rename", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct RenameTests {
    @Test("gives a container another name and keeps what is in it")
    func rename() throws {
        let program = try Program.with("old")
        _ = try program.inside("old", "echo mine >/root/file")
        try program.succeed("rename", "old", "new")
        #expect(try program.names() == ["new"])
        #expect(try program.inside("new", "cat /root/file") == "mine")
        #expect(try program.succeed("run", "new", "--", "/bin/echo", "ran").stdout == "ran\n")
    }

    @Test("refuses a name that is taken, and the same name")
    func taken() throws {
        let program = try Program.with("a")
        try program.install("b")
        try program.refuse("rename", "a", "b", naming: ["b"])
        try program.refuse("rename", "a", "a", naming: ["a"])
    }

    @Test("refuses a container that is in use")
    func busy() throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; cat")
        _ = try session.read(until: "ready")
        try program.refuse("rename", "box", "other", naming: ["box"])
        _ = try session.finish()
    }
}
