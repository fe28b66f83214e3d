import Libc
import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("WholeFile", .scratch)
struct WholeFileTests {
    @Test("replaces a file only when all of it is there")
    func whole() throws {
        let directory = try Directory.open(Scratch.path)
        try directory.replaceFile("f", with: Array("old".utf8))
        #expect(throws: SystemError.self) {
            try WholeFile.make("f", in: directory, mode: 0o600) { file in
                try file.writeAll("ha")
                throw SystemError("write", code: ENOSPC)
            }
        }
        #expect(try directory.readFile("f", limit: 10) == Array("old".utf8))
        for name in ["f", "new"] as [RawString] {
            try WholeFile.make(name, in: directory, mode: 0o600) { file in try file.writeAll("new") }
            #expect(try directory.readFile(name, limit: 10) == Array("new".utf8))
        }
        #expect(try directory.entries().count == 2)
    }

    @Test("never takes the place of a directory, and leaves nothing then")
    func directory() throws {
        let directory = try Directory.open(Scratch.path)
        try directory.makeDirectory("d", mode: 0o755)
        #expect(throws: SystemError.self) {
            try WholeFile.make("d", in: directory, mode: 0o600) { file in try file.writeAll("x") }
        }
        #expect(try directory.entries().map(\.name) == ["d"])
    }

    @Test("sweeps what killed processes left, but nothing that is young, locked or somebody's")
    func sweep() throws {
        let directory = try Directory.open(Scratch.path)
        let names = ["left", "locked"].map { _ in WholeFile.temporaryName() }
        for name in names { try directory.replaceFile(name, with: [1]) }
        try directory.makeSymbolicLink(WholeFile.temporaryName(), to: "x")
        // What people call their own files.
        let own: [RawString] = [
            ".chroot-distro.17", ".chroot-distro.20261121", ".chroot-distro.unfinished.1",
        ]
        for name in own { try directory.replaceFile(name, with: [1]) }
        let folder = WholeFile.temporaryName()
        try directory.makeDirectory(folder, mode: 0o755)
        let locked = try directory.openFile(names[1], O_RDONLY)
        #expect(flock(locked.rawValue, LOCK_EX) == 0)
        WholeFile.sweep(directory)
        #expect(try directory.entries().count == 7)
        WholeFile.sweep(directory, olderThan: 0)
        #expect(Set(try directory.entries().map(\.name)) == Set([names[1], folder] + own))
    }

    @Test("knows its own names")
    func names() {
        #expect(WholeFile.isTemporary(WholeFile.temporaryName()))
        let number = "12345678901234567890"
        #expect(WholeFile.isTemporary(RawString(".chroot-distro.unfinished." + number)))
        for name in [
            ".chroot-distro.", ".chroot-distro.1", ".chroot-distro." + number, ".chroot-distro.unfinished.",
            ".chroot-distro.unfinished.1" + number, ".chroot-distro.unfinished.x" + number.dropFirst(),
            "x.chroot-distro.unfinished." + number,
        ] {
            #expect(!WholeFile.isTemporary(RawString(name)))
        }
    }
}
