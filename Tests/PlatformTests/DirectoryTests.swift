import Libc
import Testing

@testable import Platform

@Suite("Directory") struct DirectoryTests {
    @Test("entries come with their types and without the dots")
    func entries() throws {
        let scratch = try Scratch()
        try scratch.write("file")
        try scratch.makeDirectory("folder")
        try scratch.link("link", to: "nowhere")
        try scratch.fifo("pipe")
        let directory = try scratch.directory()
        let found = try directory.entries().sorted { $0.name < $1.name }
        #expect(found.map(\.name) == ["file", "folder", "link", "pipe"])
        #expect(found.map(\.kind) == [.regular, .directory, .symbolicLink, .fifo])
        #expect(try directory.entries().count == 4)
    }

    @Test("more names than fit one buffer are all listed")
    func manyEntries() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let prefix = String(repeating: "n", count: 200)
        for number in 0..<500 { try scratch.write("\(prefix)\(number)") }
        #expect(Set(try directory.entries().map(\.name)).count == 500)
    }

    @Test("a directory has exactly the mode asked for")
    func mode() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        try directory.makeDirectory("wide", mode: 0o1777)
        #expect(try directory.status("wide").permissions == 0o1777)
    }

    @Test("a mode is never set through a symbolic link")
    func modeThroughLink() throws {
        let scratch = try Scratch()
        try scratch.write("target")
        try scratch.link("link", to: "target")
        let directory = try scratch.directory()
        try directory.setPermissions("target", 0o600)
        #expect(throws: SystemError.self) { try directory.setPermissions("link", 0o777) }
        #expect(try directory.status("target").permissions == 0o600)
    }

    @Test("the last component is never followed")
    func noFollow() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("folder")
        try scratch.link("link", to: "folder")
        let directory = try scratch.directory()
        #expect(throws: SystemError("openat", "link", code: ENOTDIR)) {
            _ = try directory.openDirectory("link")
        }
        #expect(try directory.readSymbolicLink("link") == "folder")
        #expect(try directory.status("link").kind == .symbolicLink)
    }

    @Test("rename minds what is in the way")
    func rename() throws {
        let scratch = try Scratch()
        try scratch.write("a", "A")
        try scratch.write("b", "B")
        let directory = try scratch.directory()
        #expect(throws: SystemError("renameat2", "a", code: EEXIST)) {
            try directory.rename("a", to: directory, "b", .failIfTaken)
        }
        try directory.rename("a", to: directory, "b", .exchange)
        #expect(try directory.readFile("a", limit: 10) == Array("B".utf8))
        try directory.rename("a", to: directory, "b")
        #expect(try directory.statusIfPresent("a")?.kind == nil)
        #expect(try directory.readFile("b", limit: 10) == Array("B".utf8))
    }

    @Test("names that are not UTF-8 come back unchanged")
    func rawNames() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let name = try #require(RawString(bytes: [0x66, 0xff, 0xfe, 0x0a]))
        try directory.replaceFile(name, with: [1], durable: false)
        #expect(try directory.entries().map(\.name) == [name])
    }
}
