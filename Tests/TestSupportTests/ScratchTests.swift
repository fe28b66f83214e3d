import Libc
import Platform
import TestSupport
import Testing

@Suite("Scratch", .scratch)
struct ScratchTests {
    @Test("gives each case a directory of its own", arguments: 0..<3)
    func own(_ number: Int) throws {
        #expect(access((Scratch.path / "file").rawValue, F_OK) != 0)
        try TestImage.write("\(number)", to: Scratch.path / "file")
    }

    @Test("is gone with all that is in it, whatever its permissions")
    func gone() throws {
        let path = try Scratch.with { path in
            try Run.shell("mkdir -p \"$1/a/b\"; ln -s / \"$1/a/root\"; chmod 0 \"$1/a/b\"", path.rawValue)
            return path
        }
        #expect(access(path.rawValue, F_OK) != 0)
    }

    @Test("reports a process that still has something below it mounted, and ends it", .needsRoot)
    func leftovers() throws {
        let path = try Scratch.make()
        try Run.shell("mkdir \"$1/m\"", path.rawValue)
        let script = "mount --bind \"$1\" \"$1\" && echo ready && exec sleep 64"
        let process = try Running.start(
            "unshare", ["--mount", "sh", "-c", script, "sh", (path / "m").rawValue])
        _ = try process.read(until: "ready")
        #expect(Processes.inMounts(of: path).map(\.pid) == [process.pid])
        withKnownIssue { Scratch.clean(path) }
        #expect(access(path.rawValue, F_OK) != 0)
        #expect(try process.finish(timeout: 5).status == .killed(by: SIGKILL))
    }
}
