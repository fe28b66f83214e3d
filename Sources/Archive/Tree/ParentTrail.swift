import CLinux
import Libc
import Platform

/// A directory of the root that is open while entries go into it.
final class OpenDirectory {
    let directory: Directory
    let identity: FileIdentity
    /// Whether what is made in it gets an access control list that no archive asked for (acl(5)).
    let handsDownACL: Bool
    /// Whether it has been searched for what killed processes left.
    var isSwept = false

    init(_ directory: consuming Directory, _ status: FileStatus) {
        handsDownACL = cd_fgetxattr(directory.raw, "system.posix_acl_default", nil, 0) > 0
        self.directory = directory
        identity = FileIdentity(status)
    }
}

/// The directories from the root to where the last entry went.
///
/// Archives list trees in order, so that the next entry needs few more. Each step is one name in an open directory;
/// where that is a symbolic link, the whole path is resolved inside the root instead.
final class ParentTrail {
    private struct Frame {
        let name: RawString
        /// `nil` once it had to make room.
        var directory: OpenDirectory?
        /// Whether the name is a symbolic link, so that the frame in front is not the parent.
        let isAlias: Bool
    }

    private let rootfs: Rootfs
    let root: OpenDirectory
    let mountID: UInt64
    private var frames: [Frame] = []

    /// Directories that stay open at most.
    private static let limit = 64

    /// Told about each directory that was there before, with its path.
    var onArrival: (GuestPath, FileStatus) -> Void = { _, _ in }

    init(_ rootfs: consuming Rootfs) throws(SystemError) {
        self.rootfs = rootfs
        root = OpenDirectory(try self.rootfs.directory.duplicate(), try self.rootfs.directory.status())
        mountID = try self.rootfs.directory.mountID()
    }

    /// Forgets what is open: names on the way may mean something else now.
    func reset() { frames.removeAll() }

    /// Opens the directory at `path`; what is missing on the way is made, and what is no directory replaced.
    func open(_ path: GuestPath) throws(SystemError) -> OpenDirectory {
        var shared = 0
        while shared < frames.count, shared < path.components.count,
            frames[shared].name == path.components[shared]
        {
            shared += 1
        }
        frames.removeLast(frames.count - shared)
        if let last = frames.last, last.directory == nil { frames.removeAll() }
        var current = frames.last?.directory ?? root
        while frames.count < path.components.count {
            current = try descend(path.components[frames.count], from: current)
        }
        return current
    }

    /// Opens the directory at `path` unless something on the way is missing or is no directory.
    func openIfPresent(_ path: GuestPath) throws(SystemError) -> OpenDirectory? {
        do {
            _ = try rootfs.openDirectory(path)
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        }
        return try open(path)
    }

    /// Opens the directory at `path`, when every name on the way is a directory and no link.
    ///
    /// Nothing is made, followed or told.
    func find(_ path: some Collection<RawString>) throws(SystemError) -> OpenDirectory? {
        let shared = zip(frames, path).prefix { $0.name == $1 }.count
        frames.removeLast(frames.count - shared)
        if let last = frames.last, last.directory == nil { frames.removeAll() }
        var current = frames.last?.directory ?? root
        for name in path.dropFirst(frames.count) {
            do {
                current = try admit(try current.directory.openDirectory(name), name)
            } catch {
                guard [ENOENT, ENOTDIR, ELOOP].contains(error.code) else { throw error }
                return nil
            }
            append(Frame(name: name, directory: current, isAlias: false))
        }
        return current
    }

    /// Opens a directory without leaving a trail.
    func openAside(_ path: GuestPath) throws(SystemError) -> OpenDirectory {
        if frames.count == path.components.count, frames.map(\.name) == path.components {
            if let directory = frames.last?.directory { return directory }
        }
        return try admit(try rootfs.openDirectory(path), path.lastComponent ?? ".")
    }

    /// Marks the open directories, and those above them, as written.
    func mark(in written: inout WrittenNames) throws(SystemError) {
        var below: OpenDirectory?
        for frame in frames.reversed() {
            guard let directory = frame.directory else {
                if let below { try markAncestors(of: below, in: &written) }
                return
            }
            guard written.insert(directory: directory.identity) else { return }
            if frame.isAlias { try markAncestors(of: directory, in: &written) }
            below = directory
        }
        written.insert(directory: root.identity)
    }

    private func markAncestors(of directory: OpenDirectory, in written: inout WrittenNames)
        throws(SystemError)
    {
        var current = try directory.directory.duplicate()
        while true {
            current = try current.openDirectory("..")
            let identity = FileIdentity(try current.status())
            guard written.insert(directory: identity), identity != root.identity else { return }
        }
    }

    // MARK: - Steps

    private func descend(_ name: RawString, from parent: OpenDirectory) throws(SystemError) -> OpenDirectory {
        let path = GuestPath(components: frames.map(\.name) + [name])
        var isAlias = false
        let next: OpenDirectory
        do {
            next = try arrive(try parent.directory.openDirectory(name), path)
        } catch {
            switch error.code {
            case ENOENT:
                next = try make(name, in: parent)
            case EACCES where geteuid() != 0:
                // The ledger puts it back.
                onArrival(path, try parent.directory.status(name))
                try parent.directory.setPermissions(name, 0o700)
                next = try arrive(try parent.directory.openDirectory(name), path)
            case ELOOP, ENOTDIR:
                isAlias = try parent.directory.status(name).kind == .symbolicLink
                next = isAlias ? try follow(path) : try replace(name, in: parent)
            default: throw error
            }
        }
        append(Frame(name: name, directory: next, isAlias: isAlias))
        return next
    }

    private func append(_ frame: Frame) {
        frames.append(frame)
        if frames.count > Self.limit { frames[frames.count - Self.limit - 1].directory = nil }
    }

    private func make(_ name: RawString, in parent: OpenDirectory) throws(SystemError) -> OpenDirectory {
        try parent.directory.makeDirectory(name, mode: 0o755)
        return try admit(try parent.directory.openDirectory(name), name)
    }

    private func replace(_ name: RawString, in parent: OpenDirectory) throws(SystemError) -> OpenDirectory {
        try parent.directory.removeFile(name)
        return try make(name, in: parent)
    }

    private func follow(_ path: GuestPath) throws(SystemError) -> OpenDirectory {
        try arrive(try rootfs.openOrMakeDirectory(path), path)
    }

    private func arrive(_ directory: consuming Directory, _ path: GuestPath) throws(SystemError)
        -> OpenDirectory
    {
        let status = try directory.status()
        onArrival(path, status)
        if geteuid() != 0, status.permissions & 0o700 != 0o700 {
            // The ledger puts it back.
            try syscall("fchmod", path.description) { fchmod(directory.raw, status.permissions | 0o700) }
        }
        return try admit(directory, path.lastComponent ?? ".", status)
    }

    /// Refuses a directory of another mount with `EXDEV`.
    private func admit(
        _ directory: consuming Directory, _ name: RawString, _ status: FileStatus? = nil
    ) throws(SystemError) -> OpenDirectory {
        guard try directory.mountID() == mountID else {
            throw SystemError("openat", name.description, code: EXDEV)
        }
        let status = if let status { status } else { try directory.status() }
        return OpenDirectory(directory, status)
    }
}
