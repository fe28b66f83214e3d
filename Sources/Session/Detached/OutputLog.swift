import Libc
import Platform

/// What the detached sessions of a container write: `output.log` beside its rootfs, and the part before it.
///
/// Several sessions may write at once, and each may be the one that starts a new file.
package struct OutputLog: ~Copyable {
    package static let name: RawString = "output.log"
    package static let older: RawString = "output.log.1"
    /// Bytes after which a new file is started.
    package static let standardLimit: Int64 = 8 << 20

    private let directory: Directory
    private let limit: Int64
    private var file: FileDescriptor

    /// Opens the log in a container's directory, behind what is there.
    package init(in directory: consuming Directory, limit: Int64 = standardLimit) throws(SystemError) {
        file = try Self.open(directory)
        self.directory = directory
        self.limit = limit
    }

    private static func open(_ directory: borrowing Directory) throws(SystemError) -> FileDescriptor {
        try directory.openFile(name, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK, mode: 0o600)
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
        if isCurrent { try? directory.rename(Self.name, to: directory, Self.older) }
        flock(file.rawValue, LOCK_UN)
        follow()
    }

    private var isCurrent: Bool {
        guard let there = try? directory.status(Self.name), let ours = try? file.status() else {
            return false
        }
        return there.inode == ours.inode
    }

    /// Goes on in the new file when another session has started one.
    private mutating func follow() {
        guard !isCurrent, let new = try? Self.open(directory) else { return }
        file = new
    }
}
