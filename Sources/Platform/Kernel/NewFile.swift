import CLinux
import Libc

/// A new file of this host that gets its name when it is whole, and never takes the name of another file.
///
/// Whatever ends the program before leaves nothing behind, as far as the file system has nameless files (open(2),
/// O_TMPFILE); elsewhere a file whose name begins with `.tmp-` may stay.
package struct NewFile: ~Copyable {
    private let file: FileDescriptor
    private let folder: Directory
    private let name: RawString
    /// What the file is called until then; `nil` when it has no name at all.
    private let temporary: Temporary?

    /// Removes the file at its end, unless it has got its name.
    private final class Temporary {
        let name: RawString
        private let folder: Directory

        init(_ name: RawString, in folder: consuming Directory) {
            self.name = name
            self.folder = folder
        }

        deinit { try? folder.removeFile(name) }
    }

    /// Throws `EEXIST` when there is something of that name already.
    package static func make(_ path: HostPath, mode: mode_t = 0o600) throws(SystemError) -> NewFile {
        let path = path.absolute
        let name = RawString(path.lastComponent)
        let folder = try open(path)
        if try folder.statusIfPresent(name) != nil {
            throw SystemError("open", Quoted(path).description, code: EEXIST)
        }
        do {
            let file = try folder.openFile(".", O_RDWR | cd_o_tmpfile, mode: mode)
            return NewFile(file: file, folder: folder, name: name, temporary: nil)
        } catch {
            guard [EOPNOTSUPP, EISDIR, EINVAL].contains(error.code) else { throw error }
        }
        let hidden = RawString(".tmp-\(getpid())-\(UInt64.random(in: 0 ... .max))")
        let file = try folder.openFile(hidden, O_RDWR | O_CREAT | O_EXCL, mode: mode)
        let again = try folder.duplicate()
        return NewFile(file: file, folder: folder, name: name, temporary: Temporary(hidden, in: again))
    }

    private static func open(_ path: HostPath) throws(SystemError) -> Directory {
        try Directory.open(path.parent)
    }

    private init(
        file: consuming FileDescriptor, folder: consuming Directory, name: RawString, temporary: Temporary?
    ) {
        self.file = file
        self.folder = folder
        self.name = name
        self.temporary = temporary
    }

    /// A second descriptor for whoever writes it.
    package func descriptor() throws(SystemError) -> FileDescriptor { try file.duplicate() }

    /// Gives the file to somebody else.
    package func setOwner(_ owner: uid_t, _ group: gid_t) throws(SystemError) {
        let raw = file.rawValue
        try syscall("fchown", name.description) { fchown(raw, owner, group) }
    }

    /// Flushes the file and gives it its name; `EEXIST` when something has taken it in the meantime.
    package consuming func commit() throws(SystemError) {
        try file.synchronize()
        if let temporary {
            try folder.rename(temporary.name, to: folder, name, .failIfTaken)
        } else {
            let source = file.procPath
            let target = folder.raw
            try syscall("linkat", name.description) {
                name.withCString { linkat(AT_FDCWD, source, target, $0, AT_SYMLINK_FOLLOW) }
            }
        }
        try folder.synchronize()
    }
}
