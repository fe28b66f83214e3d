import Libc
import Platform

/// Removes things from a root: never through a symbolic link, never across a mount.
///
/// One descriptor is open at a time, so the depth of a tree does not matter.
struct TreeRemoval {
    /// The mount that everything must be on.
    let mountID: UInt64
    /// What is to survive; `nil` to remove everything.
    let survivors: LayerContents?

    init(on mountID: UInt64, sparing survivors: LayerContents? = nil) {
        self.mountID = mountID
        self.survivors = survivors
    }

    /// Removes `name` and all below it.
    ///
    /// Throws `EBUSY` at a mount point.
    func remove(_ name: RawString, from parent: borrowing Directory, _ identity: FileIdentity)
        throws(SystemError)
    {
        if survivors?.contains(name, in: identity) == true { return }
        guard try !unlink(name, parent) else { return }
        let tree = try openDirectory(name, parent)
        let isSpared = try isSpared(tree)
        try empty(tree)
        if !isSpared { try parent.removeDirectory(name) }
    }

    private struct Level {
        let name: RawString
        let identity: FileIdentity
        let isSpared: Bool
        var names: [RawString]
    }

    /// Removes everything in a directory.
    func empty(_ directory: borrowing Directory) throws(SystemError) {
        var current = try directory.duplicate()
        var levels = [try level("", current)]
        while let top = levels.last {
            guard let name = levels[levels.count - 1].names.popLast() else {
                levels.removeLast()
                guard let parent = levels.last else { return }
                current = try climb(current, to: parent.identity)
                if !top.isSpared { try current.removeDirectory(top.name) }
                continue
            }
            if survivors?.contains(name, in: top.identity) == true { continue }
            if try unlink(name, current) { continue }
            current = try openDirectory(name, current)
            levels.append(try level(name, current))
        }
    }

    private func level(_ name: RawString, _ directory: borrowing Directory) throws(SystemError) -> Level {
        let identity = FileIdentity(try directory.status())
        return Level(
            name: name, identity: identity, isSpared: survivors?.contains(directory: identity) == true,
            names: try directory.entries().map(\.name))
    }

    private func isSpared(_ directory: borrowing Directory) throws(SystemError) -> Bool {
        guard let survivors else { return false }
        return survivors.contains(directory: FileIdentity(try directory.status()))
    }

    private func climb(_ directory: borrowing Directory, to expected: FileIdentity) throws(SystemError)
        -> Directory
    {
        let parent = try directory.openDirectory("..")
        guard FileIdentity(try parent.status()) == expected else {
            throw SystemError("openat", "..", code: ESTALE)
        }
        return parent
    }

    /// True when it is gone, false when it is a directory.
    private func unlink(_ name: RawString, _ parent: borrowing Directory) throws(SystemError) -> Bool {
        do {
            try parent.removeFile(name)
            return true
        } catch  where error.code == ENOENT {
            return true
        } catch  where error.code == EISDIR {
            return false
        } catch  where error.code == EPERM || error.code == EACCES {
            // POSIX has EPERM for directories, and some file systems keep to it.
            guard try parent.status(name).kind == .directory else { throw error }
            return false
        }
    }

    private func openDirectory(_ name: RawString, _ parent: borrowing Directory) throws(SystemError)
        -> Directory
    {
        guard try parent.mountID(of: name) == mountID else {
            throw SystemError("unlinkat", name.description, code: EBUSY)
        }
        let opened: Directory
        do {
            opened = try parent.openDirectory(name)
            if geteuid() != 0 { try? parent.setPermissions(name, 0o700) }
        } catch  where error.code == EACCES {
            try parent.setPermissions(name, 0o700)
            opened = try parent.openDirectory(name)
        }
        return opened
    }
}
