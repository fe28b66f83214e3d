import CLinux
import Libc

/// A new file of this host that gets its name when it is complete; until then, and after any failure, there is none.
///
/// It has no name at all meanwhile where the file system can do that (open(2), O_TMPFILE), so that not even a killed
/// process leaves anything.
package final class PendingFile {
    package let descriptor: FileDescriptor
    private let directory: Directory
    private let name: RawString
    private var temporary: RawString?

    /// Opens a file for a path that must be free (`EEXIST`).
    ///
    /// Links on the way to it are followed. `owner` is whom the file is to belong to.
    package init(_ path: HostPath, mode: mode_t, owner: (uid_t, gid_t)? = nil) throws(SystemError) {
        guard !path.rawValue.hasSuffix("/"), ![".", ".."].contains(path.lastComponent) else {
            throw SystemError("open", path.description, code: EISDIR)
        }
        name = RawString(path.lastComponent)
        directory = try Directory.open(path.parent)
        guard try directory.statusIfPresent(name) == nil else {
            throw SystemError("open", path.description, code: EEXIST)
        }
        let candidate = RawString(".chroot-distro-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        if let nameless = try Self.openNameless(directory, mode) {
            descriptor = nameless
            temporary = nil
        } else {
            descriptor = try directory.openFile(candidate, O_RDWR | O_CREAT | O_EXCL, mode: mode)
            temporary = candidate
        }
        let raw = descriptor.rawValue
        if let owner { try syscall("fchown") { fchown(raw, owner.0, owner.1) } }
        try syscall("fchmod") { fchmod(raw, mode) }
    }

    /// `nil` on file systems without such files.
    private static func openNameless(
        _ directory: borrowing Directory, _ mode: mode_t
    ) throws(SystemError) -> FileDescriptor? {
        do { return try directory.openFile(".", O_RDWR | cd_o_tmpfile, mode: mode) } catch {
            guard [EOPNOTSUPP, EISDIR, EINVAL].contains(error.code) else { throw error }
            return nil
        }
    }

    deinit {
        if let temporary { try? directory.removeFile(temporary) }
    }

    /// Flushes the content to the disk, so that reading it again asks the disk.
    package func flush() throws(SystemError) {
        try descriptor.synchronize()
        // Only advice.
        _ = posix_fadvise(descriptor.rawValue, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Flushes the content and gives the file its name; `EEXIST` when somebody was faster.
    package func publish() throws(SystemError) {
        try descriptor.synchronize()
        if let temporary {
            try rename(temporary)
            self.temporary = nil
        } else {
            let source = descriptor.procPath
            let raw = directory.raw
            try syscall("linkat", name.description) {
                name.withCString { linkat(AT_FDCWD, source, raw, $0, AT_SYMLINK_FOLLOW) }
            }
        }
        try directory.synchronize()
    }

    private func rename(_ temporary: RawString) throws(SystemError) {
        do { try directory.rename(temporary, to: directory, name, .failIfTaken) } catch {
            // FAT and its like cannot refuse; it was free when we began, and is asked for once more.
            guard error.code == EINVAL else { throw error }
            guard try directory.statusIfPresent(name) == nil else {
                throw SystemError("rename", name.description, code: EEXIST)
            }
            try directory.rename(temporary, to: directory, name)
        }
    }
}
