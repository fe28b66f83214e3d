import CLinux
import Libc

/// The file system that an open file is on (statvfs(3)).
package struct FileSystem: Hashable, Sendable {
    /// Bytes; `free` is what a process without privileges may still take.
    package let size: Int64
    package let free: Int64
    /// Files that can still be made; `nil` where the file system does not count them.
    package let freeFiles: UInt64?
    package let isReadOnly: Bool
    package let isNosuid: Bool
    package let isNodev: Bool
    package let isNoexec: Bool
    /// Its type as it is written in fstab(5), where that is known.
    package let type: String?

    package init(of directory: borrowing Directory) throws(SystemError) {
        var value = statvfs()
        let raw = directory.raw
        try syscall("fstatvfs") { fstatvfs(raw, &value) }
        let block = Int64(clamping: value.f_frsize)
        size = Int64(clamping: value.f_blocks).multipliedReportingOverflow(by: block).partialValue
        free = Int64(clamping: value.f_bavail).multipliedReportingOverflow(by: block).partialValue
        freeFiles = value.f_files == 0 ? nil : UInt64(value.f_favail)
        // The bits of statvfs(3), which are those of mount(2).
        isReadOnly = value.f_flag & 1 != 0
        isNosuid = value.f_flag & 2 != 0
        isNodev = value.f_flag & 4 != 0
        isNoexec = value.f_flag & 8 != 0
        type = Self.names[cd_filesystem_type(raw)]
    }

    /// The magic numbers of statfs(2).
    private static let names: [Int: String] = [
        0xef53: "ext4", 0x5846_5342: "xfs", 0x9123_683e: "btrfs", 0xf2f5_2010: "f2fs", 0x0102_1994: "tmpfs",
        0x794c_7630: "overlay", 0x2fc1_2fc1: "zfs", 0x6573_5546: "fuse", 0x6969: "nfs",
        0xca45_1a4e: "bcachefs",
        0x4d44: "vfat", 0x2011_bab0: "exfat", 0x5346_544e: "ntfs", 0x7371_7368: "squashfs", 0x0102_1997: "9p",
    ]
}
