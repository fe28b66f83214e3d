import CLinux
import Libc
import Platform

/// What stops a removal.
enum TreeRemovalError: Error {
    /// Something is mounted there; nothing behind it was touched.
    case mount(GuestPath)
}

/// Deletes trees by descriptors and never leaves the mount that it started on.
///
/// A bind mount of the same file system has the same `st_dev`, so the kernel is asked not to cross mounts at all
/// (openat2(2), RESOLVE_NO_XDEV); without openat2 the mount ids are compared. Another command may be deleting the same
/// tree: what is gone is deleted.
struct TreeRemoval: ~Copyable {
    /// Where trees that are too deep are moved to be deleted by themselves.
    private let scratch: Directory
    private let onDelete: ((RawString) -> Void)?
    private let mount: UInt64

    /// Descriptors that are open at once, at most: one for each level.
    private static let maximumDepth = 128

    init(scratch: consuming Directory, onDelete: ((RawString) -> Void)?) throws(SystemError) {
        self.scratch = scratch
        self.onDelete = onDelete
        mount = Kernel.hasOpenat2 ? 0 : try self.scratch.mountID()
    }

    /// Deletes an entry of the scratch directory with all that is in it.
    mutating func remove(_ name: RawString) throws {
        var waiting = [name]
        while let next = waiting.popLast() {
            try remove(next, in: scratch, path: GuestPath(components: []), depth: 0, deeper: &waiting)
        }
    }

    private func remove(
        _ name: RawString, in parent: borrowing Directory, path: GuestPath, depth: Int,
        deeper: inout [RawString]
    ) throws {
        guard let directory = try descend(name, in: parent, path) else {
            return try removeFile(name, in: parent, path)
        }
        guard depth < Self.maximumDepth else {
            let moved = RawString("deep.\(UInt64.random(in: 0 ... .max))")
            let isMoved = try move(name, directory, in: parent, to: moved)
            if isMoved { deeper.append(moved) }
            return
        }
        for entry in try Self.entries(directory) {
            let below = path.appending(entry.name)
            if entry.kind == .directory || entry.kind == .other {
                try remove(entry.name, in: directory, path: below, depth: depth + 1, deeper: &deeper)
            } else {
                try removeFile(entry.name, in: directory, below)
            }
        }
        try removeEmptied(name, directory, in: parent, path)
        onDelete?(path.absolute)
    }

    private func removeEmptied(
        _ name: RawString, _ directory: borrowing Directory, in parent: borrowing Directory, _ path: GuestPath
    ) throws {
        do {
            do { try parent.removeDirectory(name) } catch  where error.code == EPERM {
                try parent.clearImmutableFlags()
                try directory.clearImmutableFlags()
                try parent.removeDirectory(name)
            }
        } catch  where error.code == EBUSY {
            throw TreeRemovalError.mount(path)
        } catch  where error.code == ENOENT {
            return
        }
    }

    /// False when it is gone.
    private func move(
        _ name: RawString, _ directory: borrowing Directory, in parent: borrowing Directory,
        to new: RawString
    ) throws(SystemError) -> Bool {
        do {
            do { try parent.rename(name, to: scratch, new, .failIfTaken) } catch  where error.code == EPERM {
                try parent.clearImmutableFlags()
                try directory.clearImmutableFlags()
                try parent.rename(name, to: scratch, new, .failIfTaken)
            }
        } catch  where error.code == ENOENT {
            return false
        }
        return true
    }

    /// None in a directory that is gone (getdents64(2), ENOENT).
    private static func entries(_ directory: borrowing Directory) throws(SystemError) -> [Directory.Entry] {
        do { return try directory.entries() } catch  where error.code == ENOENT { return [] }
    }

    private func removeFile(_ name: RawString, in parent: borrowing Directory, _ path: GuestPath) throws {
        do {
            try parent.removeFile(name)
        } catch  where error.code == ENOENT {
            return
        } catch  where error.code == EBUSY {
            throw TreeRemovalError.mount(path)
        } catch  where error.code == EPERM {
            // An immutable or append-only file, or a directory that holds one.
            do throws(SystemError) {
                try parent.clearImmutableFlags()
                try parent.clearImmutableFlags(of: name)
                try parent.removeFile(name)
            } catch  where error.code == ENOENT {
                return
            }
        }
        onDelete?(path.absolute)
    }

    /// The directory of that name on our own mount, or `nil` when the name is no directory.
    private func descend(_ name: RawString, in parent: borrowing Directory, _ path: GuestPath) throws
        -> Directory?
    {
        do {
            return try open(name, in: parent)
        } catch {
            switch error.code {
            // removeFile knows what to do with a name that is gone.
            case ENOTDIR, ELOOP, ENOENT: return nil
            case EXDEV: throw TreeRemovalError.mount(path)
            default: throw error
            }
        }
    }

    private func open(_ name: RawString, in parent: borrowing Directory) throws(SystemError) -> Directory {
        guard Kernel.hasOpenat2 else {
            let directory = try parent.openDirectory(name)
            guard try directory.mountID() == mount else {
                throw SystemError("openat", name.description, code: EXDEV)
            }
            return directory
        }
        return try parent.openDirectoryOnSameMount(name)
    }
}
