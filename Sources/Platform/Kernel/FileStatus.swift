import Libc
import CLinux

/// What `stat(2)` says of a file.
package struct FileStatus: Sendable {
    /// The types of `inode(7)`.
    package enum Kind: Hashable, Sendable {
        case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, other
    }

    package let kind: Kind
    /// The permission bits with setuid, setgid and sticky: `mode & 07777`.
    package let permissions: mode_t
    package let owner: uid_t
    package let group: gid_t
    /// Bytes.
    package let size: Int64
    /// Units of 512 bytes.
    package let blocks: Int64
    package let links: UInt64
    package let device: dev_t
    package let inode: UInt64
    /// The device that a device node stands for.
    package let major: UInt32
    package let minor: UInt32
    /// Nanoseconds matter: seconds alone lose changes within one second.
    package let modified: timespec
    package let changed: timespec
    package let accessed: timespec

    /// Whether size and time say that nothing has been written in between; both are of one file.
    package func hasSameContent(as other: FileStatus) -> Bool {
        size == other.size && modified.tv_sec == other.modified.tv_sec
            && modified.tv_nsec == other.modified.tv_nsec
    }

    /// Whether nothing at all has been done to it in between, but for names that it got or lost; both are of one file.
    ///
    /// Whoever sets its time back cannot set back when it was changed (inode(7), ctime).
    package func isUntouched(since other: FileStatus) -> Bool {
        let isUnchanged =
            changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec
        return hasSameContent(as: other) && (isUnchanged || links != other.links)
    }

    package init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .other
            }
        permissions = raw.st_mode & 0o7777
        owner = raw.st_uid
        group = raw.st_gid
        size = Int64(raw.st_size)
        blocks = Int64(raw.st_blocks)
        links = UInt64(raw.st_nlink)
        device = raw.st_dev
        inode = UInt64(raw.st_ino)
        major = cd_major(raw.st_rdev)
        minor = cd_minor(raw.st_rdev)
        modified = raw.st_mtim
        changed = raw.st_ctim
        accessed = raw.st_atim
    }
}
