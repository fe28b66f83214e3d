import Libc
import Platform

/// A file on this machine, whatever its name: device and inode.
package struct FileIdentity: Hashable {
    package let device: dev_t
    package let inode: UInt64

    package init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}
