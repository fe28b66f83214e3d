import CLinux
import Libc

extension Directory {
    /// Opens a directory that is on the same mount as this one; `EXDEV` when something is mounted there.
    ///
    /// Needs openat2(2).
    package func openDirectoryOnSameMount(_ name: RawString) throws(SystemError) -> Directory {
        Directory(adopting: try openOnSameMount(name, O_RDONLY | O_DIRECTORY))
    }

    /// Opens something that is on the same mount as this directory; `EXDEV` when something is mounted there.
    ///
    /// Needs openat2(2).
    package func openOnSameMount(_ name: RawString, _ flags: Int32) throws(SystemError) -> FileDescriptor {
        let resolve = UInt64(cd_resolve_no_xdev | cd_resolve_no_symlinks | cd_resolve_beneath)
        return FileDescriptor(
            adopting: try syscall("openat2", name.description) {
                name.withCString { cd_openat2(raw, $0, flags | O_NOFOLLOW | O_CLOEXEC, 0, resolve) }
            })
    }

    /// Takes the immutable and append-only flags (chattr(1)) off this directory, as far as it has any.
    package func clearImmutableFlags() throws(SystemError) {
        try syscall("ioctl") { cd_clear_immutable(raw) }
    }

    /// Takes the immutable and append-only flags off a regular file in this directory.
    package func clearImmutableFlags(of name: RawString) throws(SystemError) {
        guard try status(name).kind == .regular else { return }
        let file = try openFile(name, O_RDONLY | O_NONBLOCK)
        try syscall("ioctl", name.description) { cd_clear_immutable(file.rawValue) }
    }
}
