import Libc
import CLinux

/// A directory that is somebody else's root: every path is resolved inside it, as the guest would see it.
///
/// Absolute symbolic links start again at this directory and `..` stops at it (openat2(2), RESOLVE_IN_ROOT); magic
/// links of /proc are refused. Where the kernel has no openat2(2), a walk over the components does the same.
package struct Rootfs: ~Copyable, Sendable {
    package let directory: Directory
    private let hasOpenat2: Bool

    package init(adopting directory: consuming Directory) {
        self.directory = directory
        hasOpenat2 = Kernel.hasOpenat2
    }

    /// For tests: with `hasOpenat2` false the walk is used.
    package init(adopting directory: consuming Directory, hasOpenat2: Bool) {
        self.directory = directory
        self.hasOpenat2 = hasOpenat2
    }

    /// Opens a path inside; symbolic links are followed there unless `O_NOFOLLOW` is among the flags.
    package func open(
        _ path: GuestPath, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> FileDescriptor {
        guard hasOpenat2 else { return try walk(path, flags, mode: mode) }
        let text = path.relative
        // EINVAL for a mode that cannot be used (openat2(2)).
        let creates = flags & O_CREAT != 0 || flags & cd_o_tmpfile == cd_o_tmpfile
        let mode = creates ? mode : 0
        let resolve = UInt64(cd_resolve_in_root | cd_resolve_no_magiclinks)
        let descriptor = try syscall("openat2", path.description) {
            text.withCString { name in
                // EAGAIN: a rename or mount raced with the resolution of `..`; it is safe to ask again.
                var result: Int32 = -1
                for _ in 0..<64 {
                    result = cd_openat2(directory.raw, name, flags | O_CLOEXEC, mode, resolve)
                    if result >= 0 || errno != EAGAIN { break }
                }
                return result
            }
        }
        return FileDescriptor(adopting: descriptor)
    }

    package func openDirectory(_ path: GuestPath) throws(SystemError) -> Directory {
        Directory(adopting: try open(path, O_RDONLY | O_DIRECTORY))
    }

    /// Opens the directory that holds the last component of `path`, which itself is not looked at.
    package func openParent(_ path: GuestPath) throws(SystemError) -> Location {
        guard let name = path.lastComponent, name != ".." else {
            throw SystemError("openat2", path.description, code: EINVAL)
        }
        return Location(directory: try openDirectory(path.parent), name: name)
    }

    /// A name in an open directory; the name itself has not been looked at.
    package struct Location: ~Copyable {
        package let directory: Directory
        package let name: RawString
    }

    /// Opens a directory; what is missing on the way is made, owned by root, with `mode`.
    ///
    /// What a dangling symbolic link names is made inside.
    package func openOrMakeDirectory(_ path: GuestPath, mode: mode_t = 0o755) throws(SystemError) -> Directory
    {
        var path = path
        for _ in 0...Self.linkLimit {
            guard path.components.count <= Self.componentLimit else {
                throw SystemError("mkdirat", path.description, code: ENAMETOOLONG)
            }
            do { return try openDirectory(path) } catch  where error.code == ENOENT {}
            var depth = 0
            var current = try openDeepest(path, &depth)
            var target: RawString?
            while target == nil, depth < path.components.count {
                let name = path.components[depth]
                guard name != ".." else { throw SystemError("openat2", path.description, code: EINVAL) }
                target = try Self.makeOrReadLink(name, in: current, mode: mode)
                guard target == nil else { break }
                current = try current.openDirectory(name)
                depth += 1
            }
            guard let target else { return current }
            let start = target.bytes.first == UInt8(ascii: "/") ? 0 : depth
            path = GuestPath(
                components: Array(path.components[..<start]) + GuestPath(target).components
                    + path.components[(depth + 1)...])
        }
        throw SystemError("mkdirat", path.description, code: ELOOP)
    }

    /// Opens the deepest directory on the way to `path` that is there; `depth` becomes the number of its components.
    private func openDeepest(_ path: GuestPath, _ depth: inout Int) throws(SystemError) -> Directory {
        var found = try directory.duplicate()
        depth = 0
        var missing = path.components.count
        while missing - depth > 1 {
            let middle = (depth + missing) / 2
            do {
                found = try openDirectory(GuestPath(components: Array(path.components[..<middle])))
                depth = middle
            } catch  where error.code == ENOENT {
                missing = middle
            }
        }
        return found
    }

    /// Makes a directory, unless there is something; the target when that is a symbolic link.
    private static func makeOrReadLink(
        _ name: RawString, in directory: borrowing Directory, mode: mode_t
    ) throws(SystemError) -> RawString? {
        do { try directory.makeDirectory(name, mode: mode) } catch  where error.code == EEXIST {
            guard try directory.status(name).kind == .symbolicLink else { return nil }
            return try directory.readSymbolicLink(name)
        }
        return nil
    }

    /// The status of what `path` names after following links, or `nil` when there is nothing.
    package func status(_ path: GuestPath) throws(SystemError) -> FileStatus? {
        do { return try open(path, cd_o_path).status() } catch
            where error.code == ENOENT || error.code == ENOTDIR
        {
            return nil
        }
    }

    /// The content of a regular file of at most `limit` bytes; never blocks on a FIFO or a device.
    package func readFile(_ path: GuestPath, limit: Int) throws(SystemError) -> [UInt8] {
        // First without opening it for real: opening a device can have effects.
        guard try open(path, cd_o_path).status().kind == .regular else {
            throw SystemError("openat2", path.description, code: EINVAL)
        }
        let file = try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard try file.status().kind == .regular else {
            throw SystemError("openat2", path.description, code: EINVAL)
        }
        return try file.readAll(limit: limit)
    }

    /// Replaces a file, or whatever else but a directory has its name, by a regular file; links are not followed
    /// in the last component.
    package func replaceFile(_ path: GuestPath, with bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError)
    {
        let place = try openParent(path)
        // Without root the files belong to the user, who plays root in the guest.
        let owner: (uid_t, gid_t)? = geteuid() == 0 ? (0, 0) : nil
        try place.directory.replaceFile(place.name, with: bytes, mode: mode, owner: owner, durable: false)
    }

    /// Symbolic links that may be followed in one path (path_resolution(7)).
    private static let linkLimit = 40
    /// Components that one path may have, those of the links in it included.
    private static let componentLimit = 4096

    // MARK: - Without openat2(2)

    private func walk(_ path: GuestPath, _ flags: Int32, mode: mode_t) throws(SystemError) -> FileDescriptor {
        // open(2): O_EXCL never follows a link in the last component.
        let follows = flags & O_NOFOLLOW == 0 && flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL
        var pending = Array(path.components.reversed())
        var trail = DirectoryTrail(try directory.duplicate())
        var links = 0
        var steps = 0
        while let name = pending.popLast() {
            steps += 1
            guard steps <= Self.componentLimit else {
                throw SystemError("openat", path.description, code: ENAMETOOLONG)
            }
            if name == "." { continue }
            if name == ".." {
                trail.climb()
                continue
            }
            let isLast = pending.isEmpty
            if !isLast || follows, let target = try Self.link(name, in: trail.current) {
                links += 1
                guard links <= Self.linkLimit else {
                    throw SystemError("openat", path.description, code: ELOOP)
                }
                if target.bytes.first == UInt8(ascii: "/") { trail.restart() }
                if isLast, flags & O_CREAT != 0, target.bytes.last == UInt8(ascii: "/") {
                    throw SystemError("openat", path.description, code: EISDIR)
                }
                if isLast, Self.namesDirectory(target) { pending = ["."] }
                pending += GuestPath(target).components.reversed()
                continue
            }
            if isLast { return try trail.current.openFile(name, flags, mode: mode) }
            try trail.descend(name)
        }
        return try trail.current.openFile(".", flags, mode: mode)
    }

    /// The target when `name` is a symbolic link; `ELOOP` for a magic link of /proc.
    private static func link(
        _ name: RawString, in directory: borrowing Directory
    ) throws(SystemError) -> RawString? {
        guard let status = try directory.statusIfPresent(name), status.kind == .symbolicLink else {
            return nil
        }
        // The links in the top directory of a procfs (inode 1) are plain ones, such as `self` and `mounts`.
        if cd_filesystem_type(directory.raw) == procMagic, try directory.status().inode != 1 {
            throw SystemError("openat", name.description, code: ELOOP)
        }
        return try directory.readSymbolicLink(name)
    }

    /// PROC_SUPER_MAGIC (statfs(2)).
    private static let procMagic = 0x9fa0

    /// Whether a link's text can only mean a directory: it ends with `/` or `/.`, or is `.`.
    private static func namesDirectory(_ target: RawString) -> Bool {
        let end = target.bytes.suffix(2)
        return end.last == UInt8(ascii: "/") || target == "." || end.elementsEqual([0x2f, 0x2e])
    }
}

/// The directories from a root down to the current one, so that `..` goes back the way that was come.
private struct DirectoryTrail: ~Copyable {
    private final class Node {
        let directory: Directory
        let parent: Node?
        init(_ directory: consuming Directory, parent: Node?) {
            self.directory = directory
            self.parent = parent
        }
    }

    private let root: Node
    private var top: Node

    init(_ directory: consuming Directory) {
        root = Node(directory, parent: nil)
        top = root
    }

    var current: Directory { _read { yield top.directory } }

    mutating func climb() { top = top.parent ?? top }
    mutating func restart() { top = root }
    mutating func descend(_ name: RawString) throws(SystemError) {
        // O_PATH asks for the right to search only, as resolution by the kernel does.
        top = Node(
            Directory(adopting: try top.directory.openFile(name, cd_o_path | O_DIRECTORY)), parent: top)
    }
}
