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
