import CLinux
import Libc
import Platform

/// A directory of the root that is open while entries go into it.
final class OpenDirectory {
    let directory: Directory
    let identity: FileIdentity
    /// Whether what is made in it gets an access control list that no archive asked for (acl(5)).
    private(set) lazy var handsDownACL =
        cd_fgetxattr(directory.raw, "system.posix_acl_default", nil, 0) > 0
    /// Whether it has been searched for what killed processes left.
    var isSwept = false

    init(_ directory: consuming Directory, _ identity: FileIdentity) {
        self.directory = directory
        self.identity = identity
    }
}

/// The directories from the root to where the last entry went.
///
/// Archives list trees in order, so that the next entry needs few more. Each step is one name in an open directory.
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
    private let mountID: UInt64
    /// Whether links on the way are followed, inside the root.
    ///
    /// Otherwise a directory is only what has the name itself, so that nobody who changes the tree meanwhile leads
    /// us elsewhere.
    private let follows: Bool
    private var frames: [Frame] = []

    /// Directories that stay open at most.
    private static let limit = 64

    /// Told about each directory that was there before, with its path.
    var onArrival: (@autoclosure () -> GuestPath, FileStatus) -> Void = { _, _ in }

    init(_ rootfs: consuming Rootfs, follows: Bool) throws(SystemError) {
        self.rootfs = rootfs
        self.follows = follows
        let (status, mountID) = try self.rootfs.directory.statusAndMount()
        root = OpenDirectory(try self.rootfs.directory.duplicate(), FileIdentity(status))
        self.mountID = mountID
    }

    /// Forgets what is open: names on the way may mean something else now.
    func reset() { frames.removeAll() }

    /// Opens a directory that entries go into.
    ///
    /// Where links are followed, what is missing on the way is made, and what is no directory replaced.
    func open(_ path: ArraySlice<RawString>) throws(SystemError) -> OpenDirectory {
        try walk(path) { (name, parent) throws(SystemError) in try enter(name, of: parent) }
    }

    /// Opens a directory, unless something on the way is missing or is none; nothing is made or told.
    func find(_ path: ArraySlice<RawString>) throws(SystemError) -> OpenDirectory? {
        do {
            return try walk(path) { (name, parent) throws(SystemError) in try look(name, in: parent) }
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return nil
        }
    }

    private func walk(
        _ path: ArraySlice<RawString>,
        _ step: (RawString, OpenDirectory) throws(SystemError) -> (OpenDirectory, isAlias: Bool)
    ) throws(SystemError) -> OpenDirectory {
        var rest = path
        var shared = 0
        while shared < frames.count, let name = rest.first, frames[shared].name == name {
            rest = rest.dropFirst()
            shared += 1
        }
        frames.removeLast(frames.count - shared)
        if let last = frames.last, last.directory == nil {
            frames.removeAll()
            rest = path
        }
        var current = frames.last?.directory ?? root
        for name in rest {
            let (next, isAlias) = try step(name, current)
            frames.append(Frame(name: name, directory: next, isAlias: isAlias))
            if frames.count > Self.limit { frames[frames.count - Self.limit - 1].directory = nil }
            current = next
        }
        return current
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

    private func path(to name: RawString) -> GuestPath { GuestPath(components: frames.map(\.name) + [name]) }

    private func look(
        _ name: RawString, in parent: OpenDirectory
    ) throws(SystemError) -> (OpenDirectory, isAlias: Bool) {
        do { return (try admit(try parent.directory.openDirectory(name), name).0, false) } catch {
            guard try isLink(name, in: parent, error) else { throw error }
            return (try admit(try rootfs.openDirectory(path(to: name)), name).0, true)
        }
    }

    private func enter(
        _ name: RawString, of parent: OpenDirectory
    ) throws(SystemError) -> (OpenDirectory, isAlias: Bool) {
        do { return (try arrive(try parent.directory.openDirectory(name), name), false) } catch {
            switch error.code {
            case EACCES where geteuid() != 0:
                // The ledger puts it back.
                onArrival(path(to: name), try parent.directory.status(name))
                try parent.directory.setPermissions(name, 0o700)
                return (try arrive(try parent.directory.openDirectory(name), name), false)
            case ENOENT where follows: return (try make(name, in: parent), false)
            case ELOOP, ENOTDIR:
                if try isLink(name, in: parent, error) {
                    return (try arrive(try rootfs.openOrMakeDirectory(path(to: name)), name), true)
                }
                guard follows else { throw error }
                try parent.directory.removeFile(name)
                return (try make(name, in: parent), false)
            default: throw error
            }
        }
    }

    /// Whether that is a link to be followed, and therefore could not be opened.
    private func isLink(
        _ name: RawString, in parent: OpenDirectory, _ error: SystemError
    ) throws(SystemError) -> Bool {
        guard follows, error.code == ELOOP || error.code == ENOTDIR else { return false }
        return try parent.directory.status(name).kind == .symbolicLink
    }

    private func make(_ name: RawString, in parent: OpenDirectory) throws(SystemError) -> OpenDirectory {
        try parent.directory.makeDirectory(name, mode: 0o755)
        return try admit(try parent.directory.openDirectory(name), name).0
    }

    private func arrive(_ directory: consuming Directory, _ name: RawString) throws(SystemError)
        -> OpenDirectory
    {
        let (arrived, status) = try admit(directory, name)
        onArrival(path(to: name), status)
        if geteuid() != 0, status.permissions & 0o700 != 0o700 {
            // The ledger puts it back.
            let raw = arrived.directory.raw
            try syscall("fchmod", name.description) { fchmod(raw, status.permissions | 0o700) }
        }
        return arrived
    }

    /// Refuses a directory of another mount with `EXDEV`.
    private func admit(
        _ directory: consuming Directory, _ name: RawString
    ) throws(SystemError) -> (OpenDirectory, FileStatus) {
        let (status, mount) = try directory.statusAndMount()
        guard mount == mountID else { throw SystemError("openat", name.description, code: EXDEV) }
        return (OpenDirectory(directory, FileIdentity(status)), status)
    }
}
