import Libc
import Testing

@testable import Platform

@Suite("FileLock") struct FileLockTests {
    @Test("shared locks go together, an exclusive one alone")
    func modes() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        do {
            let first = try FileLock(directory, "lock", .shared, wait: false)
            let second = try FileLock(directory, "lock", .shared, wait: false)
            #expect(throws: SystemError("flock", "lock", code: EWOULDBLOCK)) {
                _ = try FileLock(directory, "lock", .exclusive, wait: false)
            }
            _ = consume first
            _ = consume second
        }
        _ = try FileLock(directory, "lock", .exclusive, wait: false)
    }

    @Test("the note of the last holder is readable and safe to print")
    func note() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let lock = try FileLock(directory, "lock", .exclusive, wait: false)
        lock.note("a long line that is there first")
        lock.note("12 in\u{1b}stall\nmore")
        #expect(FileLock.note(in: directory, "lock") == "12 in\\estall")
        #expect(FileLock.note(in: directory, "none") == "")
    }

    @Test("is nobody else's to take, and knows when its file has been removed or replaced")
    func file() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let lock = try FileLock(directory, "lock", .exclusive, wait: false)
        #expect(try directory.status("lock").permissions == 0o600)
        #expect(try lock.isCurrent(in: directory, "lock"))
        try directory.removeFile("lock")
        #expect(try !lock.isCurrent(in: directory, "lock"))
        let other = try FileLock(directory, "lock", .exclusive, wait: false)
        #expect(try !lock.isCurrent(in: directory, "lock"))
        #expect(try other.isCurrent(in: directory, "lock"))
    }

    @Test("a planted symbolic link is not opened")
    func plantedLink() throws {
        let scratch = try Scratch()
        try scratch.link("lock", to: "victim")
        let directory = try scratch.directory()
        #expect(throws: SystemError("openat", "lock", code: ELOOP)) {
            _ = try FileLock(directory, "lock", .exclusive, wait: false)
        }
        #expect(try directory.statusIfPresent("victim")?.kind == nil)
    }
}
