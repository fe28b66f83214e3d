import Libc

/// A `flock(2)` lock that lasts as long as this value.
///
/// It is for root alone, since whoever can open a file can lock it. It is never unlinked while it may be in use, so two
/// holders always mean the same inode; where it is, they ask `isCurrent`.
package struct FileLock: ~Copyable, Sendable {
    /// Who else may hold the lock at the same time: other shared holders, or nobody.
    package enum Mode: Sendable { case shared, exclusive }

    private let file: FileDescriptor

    /// Takes the lock; with `wait` false, `EWOULDBLOCK` when somebody has it.
    package init(
        _ directory: borrowing Directory, _ name: RawString, _ mode: Mode, wait: Bool
    ) throws(SystemError) {
        let opened = try directory.openFile(name, O_RDWR | O_CREAT, mode: 0o600)
        let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
        try syscall("flock", name.description) { flock(opened.rawValue, operation) }
        file = opened
    }

    /// Takes the lock if nobody has it.
    package static func attempt(
        _ directory: borrowing Directory, _ name: RawString, _ mode: Mode
    ) throws(SystemError) -> FileLock? {
        do { return try FileLock(directory, name, mode, wait: false) } catch {
            guard error.code == EWOULDBLOCK else { throw error }
            return nil
        }
    }

    /// Whether the name still is that of the locked file, in a place where lock files are removed.
    package func isCurrent(in directory: borrowing Directory, _ name: RawString) throws(SystemError) -> Bool {
        try directory.statusIfPresent(name)?.inode == file.status().inode
    }

    /// Gives the lock up before the scope ends.
    package consuming func release() {}

    /// Writes who holds it and why, for the message of whoever finds it taken.
    package func note(_ text: String) {
        try? file.truncate(to: 0)
        _ = pwrite(file.rawValue, text, text.utf8.count, 0)
    }

    /// What the last holder noted; the empty string when nothing is known.
    package static func note(in directory: borrowing Directory, _ name: RawString) -> String {
        guard let bytes = try? directory.readFile(name, limit: 4096) else { return "" }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        return Quoted(bytes: line).description
    }
}

extension Directory {
    /// Locks the directory itself as long as this descriptor is open; false when somebody else has it locked.
    package func tryLock() throws(SystemError) -> Bool {
        do { try syscall("flock") { flock(raw, LOCK_EX | LOCK_NB) } } catch {
            guard error.code == EWOULDBLOCK else { throw error }
            return false
        }
        return true
    }
}
