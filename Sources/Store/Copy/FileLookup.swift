import CLinux
import Libc
import Platform

/// Finding what a place means, inside its root and without opening it.
enum FileLookup {
    /// What was found.
    struct Found {
        /// Where it is, after a link in the last component was followed.
        let path: GuestPath
        /// `nil` when there is nothing.
        let status: FileStatus?
        /// The text of the last link that was followed.
        let link: RawString?
    }

    /// Looks a place up; `following` decides about a symbolic link in its last component.
    static func find(
        _ place: FilePlace, in rootfs: borrowing Rootfs, following: Bool
    ) throws(CopyError) -> Found {
        do throws(SystemError) { return try find(place.path, in: rootfs, following: following) } catch {
            throw .refused(place, error)
        }
    }

    private static func find(
        _ path: GuestPath, in rootfs: borrowing Rootfs, following: Bool
    ) throws(SystemError) -> Found {
        var path = path
        var link: RawString?
        for _ in 0...40 {
            guard let name = path.lastComponent, name != ".." else {
                let status = try rootfs.status(path)
                return Found(path: path, status: status, link: link)
            }
            guard let parent = try directory(path.parent, in: rootfs),
                let status = try parent.statusIfPresent(name)
            else { return Found(path: path, status: nil, link: link) }
            guard following, status.kind == .symbolicLink else {
                return Found(path: path, status: status, link: link)
            }
            let target = try parent.readSymbolicLink(name)
            let start = target.bytes.first == UInt8(ascii: "/") ? [] : path.parent.components
            path = GuestPath(components: start + GuestPath(target).components)
            link = target
        }
        throw SystemError("openat2", path.description, code: ELOOP)
    }

    private static func directory(
        _ path: GuestPath, in rootfs: borrowing Rootfs
    ) throws(SystemError) -> Directory? {
        do { return try rootfs.openDirectory(path) } catch  where error.code == ENOENT { return nil }
    }

    /// Opens a directory; what is missing of its path is made, and given to `owner`.
    static func openOrMake(
        _ path: GuestPath, in rootfs: borrowing Rootfs, owner: (uid_t, gid_t)?
    ) throws(SystemError) -> Directory {
        if let found = try directory(path, in: rootfs) { return found }
        guard let name = path.lastComponent, name != ".." else {
            throw SystemError("openat2", path.description, code: ENOENT)
        }
        let parent = try openOrMake(path.parent, in: rootfs, owner: owner)
        if try make(name, in: parent), let owner { try parent.setOwner(name, owner.0, owner.1) }
        return try rootfs.openDirectory(path)
    }

    /// False when somebody else has made it, or there is a link that leads nowhere.
    private static func make(
        _ name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> Bool {
        do { try parent.makeDirectory(name, mode: 0o755) } catch  where error.code == EEXIST { return false }
        return true
    }
}
