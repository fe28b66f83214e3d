import CLinux
import Libc
import Platform

/// Makes files that have their name only once they are whole.
///
/// They are written without any name (open(2), O_TMPFILE). Where that is not possible, and for the moment in which one
/// takes the place of another, they have a name that nobody else uses; whoever is killed then leaves that behind.
enum WholeFile {
    private static let prefix = Array(".chroot-distro.unfinished.".utf8)
    private static let digits = 20

    /// A name for something that is not finished, which nobody chooses for anything else.
    static func temporaryName() -> RawString {
        let number = String(UInt64.random(in: 0 ... .max))
        let zeros = String(repeating: "0", count: digits - number.utf8.count)
        return RawString(bytes: prefix + Array((zeros + number).utf8)) ?? ""
    }

    /// Whether it is such a name.
    static func isTemporary(_ name: RawString) -> Bool {
        let number = name.bytes.dropFirst(prefix.count)
        return name.bytes.starts(with: prefix) && number.count == digits
            && number.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Makes a file, or replaces what is no directory; `fill` writes it and may fail.
    static func make(
        _ name: RawString, in directory: borrowing Directory, mode: mode_t,
        _ fill: (borrowing FileDescriptor) throws -> Void
    ) throws {
        guard let file = try openNameless(in: directory, mode) else {
            return try makeBeside(name, in: directory, mode, fill)
        }
        try fill(file)
        try finish(file)
        guard try !linked(file, to: name, in: directory) else { return }
        try replace(name, by: file, in: directory)
    }

    /// False when the name is taken.
    private static func linked(
        _ file: borrowing FileDescriptor, to name: RawString, in directory: borrowing Directory
    ) throws(SystemError) -> Bool {
        do { try link(file, to: name, in: directory) } catch  where error.code == EEXIST { return false }
        return true
    }

    /// `nil` where the file system cannot do it.
    private static func openNameless(
        in directory: borrowing Directory, _ mode: mode_t
    ) throws(SystemError) -> FileDescriptor? {
        do {
            return try directory.openFile(".", O_WRONLY | cd_o_tmpfile, mode: mode)
        } catch  where [EOPNOTSUPP, EISDIR, EINVAL].contains(error.code) {
            return nil
        }
    }

    /// Some file systems say only at the end that there was no room (close(2)).
    private static func finish(_ file: borrowing FileDescriptor) throws(SystemError) {
        try file.duplicate().close()
    }

    private static func link(
        _ file: borrowing FileDescriptor, to name: RawString, in directory: borrowing Directory
    ) throws(SystemError) {
        let raw = file.rawValue
        let target = directory.raw
        do {
            try syscall("linkat", name.description) {
                name.withCString { linkat(raw, "", target, $0, cd_at_empty_path) }
            }
        } catch  where error.code == ENOENT {
            // Without the right to it (open(2), O_TMPFILE) there is another way to the same file.
            let path = file.procPath
            try syscall("linkat", name.description) {
                name.withCString { linkat(AT_FDCWD, path, target, $0, AT_SYMLINK_FOLLOW) }
            }
        }
    }

    private static func replace(
        _ name: RawString, by file: borrowing FileDescriptor, in directory: borrowing Directory
    ) throws(SystemError) {
        let temporary = temporaryName()
        // As long as it is locked, nobody takes it for a leftover.
        _ = flock(file.rawValue, LOCK_EX | LOCK_NB)
        try link(file, to: temporary, in: directory)
        try rename(temporary, to: name, in: directory)
    }

    private static func rename(
        _ temporary: RawString, to name: RawString, in directory: borrowing Directory
    ) throws(SystemError) {
        do { try directory.rename(temporary, to: directory, name) } catch {
            try? directory.removeFile(temporary)
            throw error
        }
    }

    private static func makeBeside(
        _ name: RawString, in directory: borrowing Directory, _ mode: mode_t,
        _ fill: (borrowing FileDescriptor) throws -> Void
    ) throws {
        let temporary = temporaryName()
        let file = try directory.openFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        _ = flock(file.rawValue, LOCK_EX | LOCK_NB)
        do {
            try fill(file)
            try finish(file)
        } catch {
            try? directory.removeFile(temporary)
            throw error
        }
        try rename(temporary, to: name, in: directory)
    }

    // MARK: - Leftovers

    /// How old a leftover is at least, in seconds: its maker has locked it long since.
    private static let age = 60

    /// Removes what killed processes left in a directory.
    static func sweep(_ directory: borrowing Directory, olderThan seconds: Int = age) {
        guard let entries = try? directory.entries() else { return }
        for entry in entries where isTemporary(entry.name) {
            guard let status = try? directory.status(entry.name),
                status.changed.tv_sec + seconds <= time(nil), isAbandoned(entry.name, status, in: directory)
            else { continue }
            try? directory.removeFile(entry.name)
        }
    }

    private static func isAbandoned(
        _ name: RawString, _ status: FileStatus, in directory: borrowing Directory
    ) -> Bool {
        if status.kind == .symbolicLink { return true }
        guard status.kind == .regular, let file = try? directory.openFile(name, O_RDONLY | O_NONBLOCK) else {
            return false
        }
        return flock(file.rawValue, LOCK_EX | LOCK_NB) == 0
    }
}
