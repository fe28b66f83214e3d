import Libc
import Platform

/// The size of a tree, as `du --apparent-size` and `du` have it.
///
/// Files with several names count once. Mounts inside are left out; symbolic links are not followed.
package struct TreeSize: Hashable, Sendable {
    /// Bytes of regular files, holes included, and of symbolic links.
    package private(set) var apparent: Int64 = 0
    /// Bytes that are taken on the disk, directories included.
    package private(set) var allocated: Int64 = 0
    /// Everything but directories, by names.
    package private(set) var entries = 0

    private init() {}

    /// Walks through everything below `directory`; what cannot be opened is left out.
    package static func measure(_ directory: borrowing Directory) throws(SystemError) -> TreeSize {
        var size = TreeSize()
        var seen: Set<FileIdentity> = []
        let mount = try directory.mountID()
        var current = try directory.duplicate()
        var levels = [try Level(current, &size, &seen)]
        while !levels.isEmpty {
            guard let name = levels[levels.count - 1].directories.popLast() else {
                levels.removeLast()
                guard let parent = levels.last else { break }
                current = try current.openDirectory("..")
                guard FileIdentity(try current.status()) == parent.identity else {
                    throw SystemError("openat", "..", code: ESTALE)
                }
                continue
            }
            guard let next = try? current.openDirectory(name), try next.mountID() == mount else { continue }
            current = next
            levels.append(try Level(current, &size, &seen))
        }
        return size
    }

    /// A directory on the way down: only one is open at a time, so depth does not matter.
    private struct Level {
        let identity: FileIdentity
        var directories: [RawString] = []

        init(
            _ directory: borrowing Directory, _ size: inout TreeSize, _ seen: inout Set<FileIdentity>
        ) throws(SystemError) {
            let status = try directory.status()
            identity = FileIdentity(status)
            size.add(blocks: status.blocks)
            for entry in try directory.entries() {
                guard let status = try directory.statusIfPresent(entry.name) else { continue }
                if status.kind == .directory {
                    directories.append(entry.name)
                } else {
                    size.add(status, &seen)
                }
            }
        }
    }

    private mutating func add(_ status: FileStatus, _ seen: inout Set<FileIdentity>) {
        entries += 1
        if status.links > 1, !seen.insert(FileIdentity(status)).inserted { return }
        add(blocks: status.blocks)
        if status.kind == .regular || status.kind == .symbolicLink {
            apparent = apparent.saturating(adding: status.size)
        }
    }

    private mutating func add(blocks: Int64) {
        allocated = allocated.saturating(adding: min(blocks, .max / 512) * 512)
    }
}
