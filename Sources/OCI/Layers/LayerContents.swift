import Libc
import Platform

/// A file on this machine, whatever its name: device and inode.
struct FileIdentity: Hashable {
    let device: dev_t
    let inode: UInt64

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}

/// What the layer that is being applied has brought, which its own whiteouts must not hide.
///
/// Names count by the directory that really holds them, so that two ways to one place through symbolic links are
/// one place.
struct LayerContents {
    /// Directories that are in the layer or hold something of it, however deep.
    private var directories: Set<FileIdentity> = []
    /// Hashes of everything else.
    ///
    /// The seed is different in each process: an archive cannot aim at a collision.
    private var names: Set<Int> = []

    mutating func insert(_ name: RawString, in directory: FileIdentity) {
        names.insert(Self.key(name, directory))
    }

    func contains(_ name: RawString, in directory: FileIdentity) -> Bool {
        names.contains(Self.key(name, directory))
    }

    /// False when it was known already.
    @discardableResult
    mutating func insert(directory: FileIdentity) -> Bool { directories.insert(directory).inserted }

    func contains(directory: FileIdentity) -> Bool { directories.contains(directory) }

    private static func key(_ name: RawString, _ directory: FileIdentity) -> Int {
        var hasher = Hasher()
        hasher.combine(directory)
        hasher.combine(name)
        return hasher.finalize()
    }
}
