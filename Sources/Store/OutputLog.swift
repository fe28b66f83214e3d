import Libc
import Platform

/// A file that is written at its end, and the part before it: such as `output.log`, what the detached sessions of a
/// container write, and `output.log.1`.
///
/// Several processes may write at once, and each may be the one that starts a new file.
package struct OutputLog: ~Copyable {
    /// That of detached sessions.
    package static let name: RawString = "output.log"
    package static let older: RawString = older(name)
    package static func older(_ name: RawString) -> RawString { RawString(name.text + ".1") }

    /// Bytes after which a new file is started.
    package static let standardLimit: Int64 = 8 << 20

    private let directory: Directory
    private let limit: Int64
    private let name: RawString
    private let mode: mode_t
    private var file: FileDescriptor

    /// Opens the log in a directory, behind what is there.
    package init(
        in directory: consuming Directory, name: RawString = name, mode: mode_t = 0o600,
        limit: Int64 = standardLimit
    ) throws(SystemError) {
        file = try Self.open(directory, name, mode)
        self.directory = directory
        self.name = name
        self.mode = mode
        self.limit = limit
    }

    private static func open(
        _ directory: borrowing Directory, _ name: RawString, _ mode: mode_t
    ) throws(SystemError) -> FileDescriptor {
        try directory.openFile(name, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK, mode: mode)
    }

    /// Writes what the disk has room for; a session goes on without the rest.
    package mutating func write(_ bytes: ArraySlice<UInt8>) {
        makeRoom(for: Int64(bytes.count))
        bytes.withUnsafeBytes { try? file.writeAll($0) }
    }

    private mutating func makeRoom(for count: Int64) {
        follow()
        guard let size = try? file.status().size, size > 0, size + count > limit else { return }
        // Whoever else wants to start a new file waits here, and then finds that it is done.
        flock(file.rawValue, LOCK_EX)
        if isCurrent { try? directory.rename(name, to: directory, Self.older(name)) }
        flock(file.rawValue, LOCK_UN)
        follow()
    }

    private var isCurrent: Bool {
        guard let there = try? directory.status(name), let ours = try? file.status() else {
            return false
        }
        return there.inode == ours.inode
    }

    /// Goes on in the new file when another session has started one.
    private mutating func follow() {
        guard !isCurrent, let new = try? Self.open(directory, name, mode) else { return }
        file = new
    }
}
