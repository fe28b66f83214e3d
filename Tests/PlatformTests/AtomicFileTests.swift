import Libc
import Testing

@testable import Platform

@Suite("AtomicFile") struct AtomicFileTests {
    @Test("a replaced file has the new content, the mode asked for and no leftovers beside it")
    func replaces() throws {
        let scratch = try Scratch()
        try scratch.write("file", "old")
        let directory = try scratch.directory()
        try directory.replaceFile("file", with: Array("new".utf8), mode: 0o640)
        #expect(try directory.readFile("file", limit: 10) == Array("new".utf8))
        #expect(try directory.status("file").permissions == 0o640)
        #expect(try directory.entries().count == 1)
    }

    @Test("a failure leaves the old state and no temporary file")
    func failure() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("taken")
        try scratch.write("taken/inside")
        let directory = try scratch.directory()
        #expect(throws: SystemError("renameat2", "taken", code: EISDIR)) {
            try directory.replaceFile("taken", with: [1])
        }
        #expect(try directory.entries().map(\.name) == ["taken"])
    }

    @Test(
        "a file without a name is one, also on a file system that cannot make one", arguments: [true, false])
    func nameless(_ isPossible: Bool) throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let file = isPossible ? try directory.openNamelessFile() : try directory.openUnlinkedFile()
        #expect(try directory.entries().isEmpty)
        try file.writeAll("kept")
        try file.seek(to: 0)
        #expect(try file.readAll(limit: 10) == Array("kept".utf8))
        let status = try file.status()
        #expect(status.links == 0 && status.permissions == 0o600 && status.kind == .regular)
    }

    @Test("what is not a regular file is not read", arguments: ["pipe", "folder", "link"])
    func oddFiles(name: String) throws {
        let scratch = try Scratch()
        try scratch.fifo("pipe")
        try scratch.makeDirectory("folder")
        try scratch.link("link", to: "/etc/passwd")
        let directory = try scratch.directory()
        #expect(throws: SystemError.self) { try directory.readFile(RawString(name), limit: 1 << 20) }
    }
}
