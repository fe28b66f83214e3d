import Libc
import Platform

/// What stops a removal, and where: the path is that below what was to be removed.
package struct TreeRemovalError: Error {
    package let path: GuestPath
    package let cause: SystemError

    /// Something is mounted there; nothing behind it was touched.
    package var isMount: Bool { cause.code == EBUSY || cause.code == EXDEV }
}

/// Deletes trees by descriptors: never through a symbolic link, never across a mount.
///
/// A bind mount of the same file system has the same `st_dev`, so the kernel is asked not to cross mounts at all
/// (openat2(2), RESOLVE_NO_XDEV); without openat2 the mount ids are compared. Another process may be deleting the
/// same tree: what is gone is deleted. Depth does not matter.
package struct TreeRemoval {
    /// What is to survive; `nil` to remove everything.
    private let survivors: WrittenNames?
    private let sparesImmutable: Bool
    private let onDelete: ((GuestPath) -> Void)?

    /// `onDelete` is told the path of everything that is gone, below what was to be removed.
    ///
    /// With `sparesImmutable`, a file that is immutable or can only be appended to (chattr(1)) is `EPERM`; otherwise
    /// it is deleted like any other.
    package init(sparesImmutable: Bool = false, onDelete: ((GuestPath) -> Void)? = nil) {
        survivors = nil
        self.sparesImmutable = sparesImmutable
        self.onDelete = onDelete
    }

    init(sparing survivors: WrittenNames) {
        self.survivors = survivors
        sparesImmutable = false
        onDelete = nil
    }

    /// Removes `name` and all below it; that it is not there is no error.
    package func remove(_ name: RawString, from parent: borrowing Directory) throws(TreeRemovalError) {
        let walk = RemovalWalk(survivors, sparesImmutable, onDelete)
        do throws(SystemError) {
            try walk.remove(name, from: parent)
        } catch {
            throw TreeRemovalError(path: walk.path, cause: error)
        }
    }

    /// Removes everything in a directory.
    package func empty(_ directory: borrowing Directory) throws(TreeRemovalError) {
        let walk = RemovalWalk(survivors, sparesImmutable, onDelete)
        do throws(SystemError) {
            try walk.empty(directory)
        } catch {
            throw TreeRemovalError(path: walk.path, cause: error)
        }
    }
}

private final class RemovalWalk {
    private struct Level {
        let name: RawString
        /// `nil` once it had to make room.
        var handle: DirectoryHandle?
        let identity: FileIdentity
        let isSpared: Bool
        var entries: [Directory.Entry]
    }

    private let survivors: WrittenNames?
    private let sparesImmutable: Bool
    private let onDelete: ((GuestPath) -> Void)?
    private var levels: [Level] = []
    /// What is being removed, in the deepest level.
    private var current: RawString?
    private var mount: UInt64?

    /// Directories that stay open at most.
    private static let limit = 64

    init(
        _ survivors: WrittenNames?, _ sparesImmutable: Bool, _ onDelete: ((GuestPath) -> Void)?
    ) {
        self.survivors = survivors
        self.sparesImmutable = sparesImmutable
        self.onDelete = onDelete
    }

    var path: GuestPath {
        GuestPath(
            components: levels.dropFirst().map(\.name) + (levels.isEmpty ? [] : current.map { [$0] } ?? []))
    }

    func remove(_ name: RawString, from parent: borrowing Directory) throws(SystemError) {
        if let survivors, survivors.contains(name, in: FileIdentity(try parent.status())) { return }
        if try unlink(name, in: parent) { return told() }
        guard let level = try open(name, in: parent) else { return }
        levels = [level]
        try emptyLevels()
        let top = levels.removeLast()
        current = nil
        if !top.isSpared, let handle = top.handle {
            try removeDirectory(name, handle.directory, in: parent)
            told()
        }
    }

    func empty(_ directory: borrowing Directory) throws(SystemError) {
        mount = Kernel.hasOpenat2 ? nil : try directory.mountID()
        levels = [try level("", try directory.duplicate())]
        try emptyLevels()
    }

    private func told() { onDelete?(path) }

    // MARK: - Steps

    /// Removes everything below the first level.
    private func emptyLevels() throws(SystemError) {
        while true {
            let last = levels.count - 1
            guard let entry = levels[last].entries.popLast() else {
                if last == 0 { return }
                try leave()
                continue
            }
            current = entry.name
            if survivors?.contains(entry.name, in: levels[last].identity) == true { continue }
            guard let parent = levels[last].handle else { return }
            if entry.kind != .directory, try unlink(entry.name, in: parent.directory) {
                told()
                continue
            }
            guard let level = try open(entry.name, in: parent.directory) else { continue }
            levels.append(level)
            current = nil
            if levels.count > Self.limit { levels[levels.count - Self.limit - 1].handle = nil }
        }
    }

    /// Goes back up, and removes the directory that has been emptied.
    private func leave() throws(SystemError) {
        let level = levels.removeLast()
        current = level.name
        let last = levels.count - 1
        guard let handle = level.handle else { return }
        if levels[last].handle == nil {
            let parent = try handle.directory.openDirectory("..")
            guard FileIdentity(try parent.status()) == levels[last].identity else {
                throw SystemError("openat", "..", code: ESTALE)
            }
            levels[last].handle = DirectoryHandle(parent)
        }
        guard !level.isSpared, let parent = levels[last].handle else { return }
        try removeDirectory(level.name, handle.directory, in: parent.directory)
        told()
    }

    private func removeDirectory(
        _ name: RawString, _ directory: borrowing Directory, in parent: borrowing Directory
    ) throws(SystemError) {
        do {
            try parent.removeDirectory(name)
        } catch  where error.code == EPERM && !sparesImmutable {
            try parent.clearImmutableFlags()
            try directory.clearImmutableFlags()
            try parent.removeDirectory(name)
        } catch  where error.code == ENOENT {}
    }

    /// True when it is gone, false when it is a directory.
    private func unlink(_ name: RawString, in parent: borrowing Directory) throws(SystemError) -> Bool {
        do {
            try parent.removeFile(name)
            return true
        } catch {
            switch error.code {
            case ENOENT: return true
            case EISDIR: return false
            case EPERM, EACCES: return try unlinkProtected(name, in: parent, error)
            default: throw error
            }
        }
    }

    /// POSIX has EPERM for directories, and some file systems keep to it; it stands for immutable files, too.
    private func unlinkProtected(
        _ name: RawString, in parent: borrowing Directory, _ refusal: SystemError
    ) throws(SystemError) -> Bool {
        guard let status = try parent.statusIfPresent(name) else { return true }
        if status.kind == .directory { return false }
        guard refusal.code == EPERM, !sparesImmutable else { throw refusal }
        try parent.clearImmutableFlags()
        do {
            try parent.clearImmutableFlags(of: name)
            try parent.removeFile(name)
        } catch  where error.code == ENOENT {}
        return true
    }

    /// `nil` when it is gone.
    private func open(_ name: RawString, in parent: borrowing Directory) throws(SystemError) -> Level? {
        do {
            return try level(name, try openDirectory(name, in: parent))
        } catch {
            switch error.code {
            case ENOENT: return nil
            // No directory any more.
            case ENOTDIR, ELOOP: return try unlink(name, in: parent) ? nil : try open(name, in: parent)
            default: throw error
            }
        }
    }

    private func level(_ name: RawString, _ directory: consuming Directory) throws(SystemError) -> Level {
        let identity = FileIdentity(try directory.status())
        let handle = DirectoryHandle(directory)
        return Level(
            name: name, handle: handle, identity: identity,
            isSpared: survivors?.contains(directory: identity) == true, entries: try Self.entries(handle))
    }

    /// None in a directory that is gone (getdents64(2), ENOENT).
    private static func entries(_ handle: DirectoryHandle) throws(SystemError) -> [Directory.Entry] {
        do { return try handle.directory.entries() } catch  where error.code == ENOENT { return [] }
    }

    private func openDirectory(
        _ name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> Directory {
        do {
            let opened = try openOnMount(name, in: parent)
            if geteuid() != 0 { try? parent.setPermissions(name, 0o700) }
            return opened
        } catch  where error.code == EACCES {
            try parent.setPermissions(name, 0o700)
            return try openOnMount(name, in: parent)
        }
    }

    private func openOnMount(_ name: RawString, in parent: borrowing Directory) throws(SystemError)
        -> Directory
    {
        if Kernel.hasOpenat2 { return try parent.openDirectoryOnSameMount(name) }
        let expected = if let mount { mount } else { try parent.mountID() }
        mount = expected
        let directory = try parent.openDirectory(name)
        guard try directory.mountID() == expected else {
            throw SystemError("openat", name.description, code: EXDEV)
        }
        return directory
    }
}

/// An open directory that can be kept in a list.
final class DirectoryHandle {
    let directory: Directory
    init(_ directory: consuming Directory) { self.directory = directory }
}
