import Libc
import CLinux

/// An open directory, through which the names in it are reached.
///
/// No call here follows a symbolic link in the last component, and `name` is one component, never a path.
package struct Directory: ~Copyable, Sendable {
    package let descriptor: FileDescriptor

    package init(adopting descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    package var raw: Int32 { descriptor.rawValue }

    /// Opens a directory of this host by its path; symbolic links on the way are followed.
    package static func open(_ path: HostPath) throws(SystemError) -> Directory {
        Directory(adopting: try .open(path, O_RDONLY | O_DIRECTORY))
    }

    package func duplicate() throws(SystemError) -> Directory {
        Directory(adopting: try descriptor.duplicate())
    }

    package func openDirectory(_ name: RawString) throws(SystemError) -> Directory {
        Directory(adopting: try openFile(name, O_RDONLY | O_DIRECTORY))
    }

    package func openFile(
        _ name: RawString, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try syscall("openat", name.description) {
                name.withCString { openat(raw, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
            })
    }

    /// Makes a directory with exactly these permissions, whatever the umask.
    package func makeDirectory(_ name: RawString, mode: mode_t) throws(SystemError) {
        try syscall("mkdirat", name.description) { name.withCString { mkdirat(raw, $0, mode) } }
        try setPermissions(name, mode)
    }

    /// Opens a directory, which is made first when there is none.
    package func openOrMakeDirectory(_ name: RawString, mode: mode_t) throws(SystemError) -> Directory {
        do {
            return try openDirectory(name)
        } catch  where error.code == ENOENT {
            do { try makeDirectory(name, mode: mode) } catch  where error.code == EEXIST {}
            return try openDirectory(name)
        }
    }

    package func status(_ name: RawString) throws(SystemError) -> FileStatus {
        var value = stat()
        try syscall("fstatat", name.description) {
            name.withCString { fstatat(raw, $0, &value, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(value)
    }

    /// The status of what a path below this directory leads to; only for directories whose names are the kernel's.
    package func status(_ path: RawString, following: Bool) throws(SystemError) -> FileStatus {
        var value = stat()
        try syscall("fstatat", path.description) {
            path.withCString { fstatat(raw, $0, &value, following ? 0 : AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(value)
    }

    /// The status, or `nil` when there is no such name.
    package func statusIfPresent(_ name: RawString) throws(SystemError) -> FileStatus? {
        do { return try status(name) } catch  where error.code == ENOENT { return nil }
    }

    package func status() throws(SystemError) -> FileStatus { try descriptor.status() }

    /// Sets the permission bits; `EOPNOTSUPP` for a symbolic link, which has none.
    package func setPermissions(_ name: RawString, _ mode: mode_t) throws(SystemError) {
        try syscall("fchmodat", name.description) { name.withCString { cd_chmod_nofollow(raw, $0, mode) } }
    }

    package func setOwner(_ name: RawString, _ owner: uid_t, _ group: gid_t) throws(SystemError) {
        try syscall("fchownat", name.description) {
            name.withCString { fchownat(raw, $0, owner, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    package func makeSymbolicLink(_ name: RawString, to target: RawString) throws(SystemError) {
        try syscall("symlinkat", name.description) {
            target.withCString { target in name.withCString { symlinkat(target, raw, $0) } }
        }
    }

    package func readSymbolicLink(_ name: RawString) throws(SystemError) -> RawString {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try syscall("readlinkat", name.description) {
            name.withCString { readlinkat(raw, $0, &buffer, buffer.count) }
        }
        return RawString(bytes: buffer[..<count].map { UInt8(bitPattern: $0) }) ?? ""
    }

    package func makeNode(
        _ name: RawString, _ mode: mode_t, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(SystemError) {
        try syscall("mknodat", name.description) {
            name.withCString { cd_mknodat(raw, $0, mode, major, minor) }
        }
    }

    package func removeFile(_ name: RawString) throws(SystemError) {
        try syscall("unlinkat", name.description) { name.withCString { unlinkat(raw, $0, 0) } }
    }

    package func removeDirectory(_ name: RawString) throws(SystemError) {
        try syscall("unlinkat", name.description) { name.withCString { unlinkat(raw, $0, AT_REMOVEDIR) } }
    }

    /// What `rename` does when the new name is taken.
    package enum RenameRule: Sendable { case replace, failIfTaken, exchange }

    /// Renames within a file system (renameat2(2)).
    package func rename(
        _ name: RawString, to directory: borrowing Directory, _ newName: RawString,
        _ rule: RenameRule = .replace
    ) throws(SystemError) {
        let flags =
            switch rule {
            case .replace: UInt32(0)
            case .failIfTaken: cd_rename_noreplace
            case .exchange: cd_rename_exchange
            }
        let target = directory.raw
        try syscall("renameat2", name.description) {
            name.withCString { name in
                newName.withCString { newName in cd_renameat2(raw, name, target, newName, flags) }
            }
        }
    }

    /// Gives a file one more name (linkat(2)); a symbolic link is linked itself.
    package func link(
        _ name: RawString, to directory: borrowing Directory, _ newName: RawString
    ) throws(SystemError) {
        let target = directory.raw
        try syscall("linkat", name.description) {
            name.withCString { name in newName.withCString { linkat(raw, name, target, $0, 0) } }
        }
    }

    /// Lets `body` change what is in the directory, which looks afterwards as if it had been so since its last change.
    package func keepingTime(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        let modified = try status().modified
        try body()
        // UTIME_OMIT (utimensat(2)), which Swift does not import.
        var times = [timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), modified]
        try syscall("futimens") { futimens(raw, &times) }
    }

    package func synchronize() throws(SystemError) { try descriptor.synchronize() }

    /// The status of this directory and the id of the mount that it was opened on.
    package func statusAndMount() throws(SystemError) -> (FileStatus, UInt64) { try statusAndMount("") }

    /// The status and the id of the mount that `name` is on.
    package func statusAndMount(_ name: RawString) throws(SystemError) -> (FileStatus, UInt64) {
        var value = stat()
        var mount: UInt64 = 0
        try syscall("statx", name.description) { name.withCString { cd_status(raw, $0, &value, &mount) } }
        return (FileStatus(value), mount)
    }

    /// The id of the mount that `name` is on: it tells a bind mount of the same file system apart.
    package func mountID(of name: RawString) throws(SystemError) -> UInt64 {
        var id: UInt64 = 0
        try syscall("statx", name.description) {
            name.withCString { cd_mount_id(raw, $0, AT_SYMLINK_NOFOLLOW, &id) }
        }
        return id
    }

    /// The id of the mount that this directory is on.
    package func mountID() throws(SystemError) -> UInt64 { try descriptor.mountID() }

    /// Bytes that are still free for this process.
    package var freeSpace: Int64 { cd_filesystem_free(raw) }

    /// One name in a directory with the type the file system gave; `.other` when it did not say.
    package struct Entry: Sendable {
        package let name: RawString
        package let kind: FileStatus.Kind

        package init(name: RawString, kind: FileStatus.Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// Everything in the directory except `.` and `..`, in the file system's order.
    package func entries() throws(SystemError) -> [Entry] {
        try Directory(adopting: openFile(".", O_RDONLY | O_DIRECTORY)).remainingEntries()
    }

    /// What nobody has read of this open directory yet.
    package func remainingEntries() throws(SystemError) -> [Entry] {
        var result: [Entry] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32768, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let count = try syscall("getdents64") { cd_getdents(raw, buffer.baseAddress, buffer.count) }
            if count == 0 { return result }
            Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &result)
        }
    }

    /// `struct linux_dirent64` of getdents64(2): inode 8, offset 8, record length 2, type 1, name.
    private static func parse(_ bytes: UnsafeRawBufferPointer, into result: inout [Entry]) {
        var offset = 0
        while offset + 19 < bytes.count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
            guard length > 19, offset + length <= bytes.count else { return }
            let end = (offset + 19..<offset + length).first { bytes[$0] == 0 } ?? offset + length
            let name = RawString(
                withoutZeros: Array(UnsafeRawBufferPointer(rebasing: bytes[offset + 19..<end])))
            let kind: FileStatus.Kind =
                switch Int32(bytes[offset + 18]) {
                case 8: .regular
                case 4: .directory
                case 10: .symbolicLink
                case 2: .characterDevice
                case 6: .blockDevice
                case 1: .fifo
                case 12: .socket
                default: .other
                }
            offset += length
            if !name.isDots { result.append(Entry(name: name, kind: kind)) }
        }
    }
}
