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
    /// Bytes and blocks of files with several names, which are added when all names have been seen.
    private var linked: [FileIdentity: TreeSize] = [:]

    fileprivate init() {}

    /// Walks through everything below `directory`; what cannot be opened is left out.
    ///
    /// On a cold disk, and on several processors, several threads see more than one.
    package static func measure(_ directory: borrowing Directory) throws -> TreeSize {
        let walk = try TreeWalk(directory)
        let helpers = max(0, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN))) - 1)
        try Worker.beside((0..<helpers).map { _ in { walk.run() } }) { walk.run() }
        return try walk.result().settled
    }

    private var settled: TreeSize {
        var sum = self
        sum.linked = [:]
        for size in linked.values { sum.add(size) }
        return sum
    }

    fileprivate mutating func add(_ other: TreeSize) {
        apparent = apparent.saturating(adding: other.apparent)
        allocated = allocated.saturating(adding: other.allocated)
        entries += other.entries
        linked.merge(other.linked) { first, _ in first }
    }

    fileprivate mutating func add(directory status: FileStatus) {
        allocated = allocated.saturating(adding: Self.bytes(status.blocks))
    }

    fileprivate mutating func add(_ status: FileStatus) {
        entries += 1
        var file = TreeSize()
        file.allocated = Self.bytes(status.blocks)
        if status.kind == .regular || status.kind == .symbolicLink { file.apparent = max(0, status.size) }
        if status.links > 1 { linked[FileIdentity(status)] = file } else { add(file) }
    }

    private static func bytes(_ blocks: Int64) -> Int64 { min(max(0, blocks), .max / 512) * 512 }
}

/// A tree that several threads walk through, each in a part of it.
private final class TreeWalk {
    private let root: Directory
    private let mount: UInt64
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    // Guarded by `mutex`.
    private var parts: [GuestPath] = []
    private var sum = TreeSize()
    private var failure: SystemError?

    /// How many parts are enough for everybody to be busy to the end, and how far down they begin at most.
    private static let (enough, depth) = (64, 3)

    init(_ directory: borrowing Directory) throws(SystemError) {
        root = try directory.duplicate()
        mount = try directory.mountID()
        pthread_mutex_init(mutex, nil)
        parts = [.root]
        for _ in 0..<Self.depth where parts.count < Self.enough {
            let above = parts
            parts = []
            for path in above {
                guard let directory = try open(path) else { continue }
                parts += try Level(directory, &sum).directories.map { path.appending($0) }
            }
        }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Walks until no part is left.
    func run() {
        while let part = locked({ failure == nil ? parts.popLast() : nil }) {
            do throws(SystemError) {
                guard let directory = try open(part) else { continue }
                let size = try walk(directory)
                locked { sum.add(size) }
            } catch {
                locked { failure = error }
            }
        }
    }

    func result() throws(SystemError) -> TreeSize {
        if let failure { throw failure }
        return sum
    }

    /// `nil` for what cannot be opened, or is of another mount.
    private func open(_ path: GuestPath) throws(SystemError) -> Directory? {
        var current = try root.duplicate()
        for name in path.components {
            guard let next = try? current.openDirectory(name), try next.mountID() == mount else { return nil }
            current = next
        }
        return current
    }

    private func walk(_ directory: borrowing Directory) throws(SystemError) -> TreeSize {
        var size = TreeSize()
        var current = try directory.duplicate()
        var levels = [try Level(current, &size)]
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
            levels.append(try Level(current, &size))
        }
        return size
    }

    /// A directory on the way down: only one is open at a time, so depth does not matter.
    private struct Level {
        let identity: FileIdentity
        var directories: [RawString] = []

        init(_ directory: borrowing Directory, _ size: inout TreeSize) throws(SystemError) {
            let status = try directory.status()
            identity = FileIdentity(status)
            size.add(directory: status)
            for entry in try directory.entries() {
                guard let status = try directory.statusIfPresent(entry.name) else { continue }
                if status.kind == .directory { directories.append(entry.name) } else { size.add(status) }
            }
        }
    }
}
