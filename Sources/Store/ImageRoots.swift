import CLinux
import Libc
import Platform

/// The root file systems of images that are run without being installed: a store of its own in the cache, in which each
/// is unpacked once, under the digest of its image.
///
/// Whoever uses one shares its lock for as long as that lasts; who has it alone may make or delete it. They are never
/// written to, as every session has memory above it.
package struct ImageRoots: ~Copyable {
    package let store: ContainerStore
    private static let starting: RawString = "starting"

    /// For how long one that nobody uses is kept, in seconds.
    package static let patience = 7 * 86400

    package static func open(_ layout: StateLayout) throws -> ImageRoots {
        ImageRoots(store: try ContainerStore.open(layout.imageRoots))
    }

    private init(store: consuming ContainerStore) { self.store = store }

    private static func lock(_ name: ContainerName) -> RawString { RawString(name.description + ".lock") }

    /// Keeps the root of an image in place for as long as the result lasts; where there is none, `make` makes it first.
    ///
    /// Of several who want it at once, one makes it and the others wait.
    package func hold(_ name: ContainerName, make: () throws -> Void) throws -> FileLock {
        while true {
            let shared = try FileLock(store.locks, Self.lock(name), .shared, wait: true)
            if try isWhole(name) {
                // The lock's time of change is when the image was last used.
                shared.note("run (process \(getpid()))")
                return shared
            }
            shared.release()
            let alone = try FileLock(store.locks, Self.lock(name), .exclusive, wait: true)
            if try !isWhole(name) {
                if try store.contains(name) { try store.remove(name) }
                try make()
            }
            alone.release()
        }
    }

    /// Whether it is there, and was not cut short by the machine's going down.
    private func isWhole(_ name: ContainerName) throws -> Bool {
        guard let container = try store.containerIfInstalled(name) else { return false }
        return !Flushing.wasInterrupted(container)
    }

    /// Keeps `sweepRuns` away until a session is in the registry.
    package func beginStart() throws(SystemError) -> FileLock {
        try FileLock(store.locks, Self.starting, .shared, wait: true)
    }

    /// Calls `body` while no session of an image is just starting; it is not called when one is.
    package func betweenStarts(_ body: () throws -> Void) throws {
        guard let lock = try FileLock.attempt(store.locks, Self.starting, .exclusive) else { return }
        try body()
        lock.release()
    }

    /// Deletes what killed commands left, and the roots that nobody has used for that many seconds.
    package func sweep(olderThan age: Int = patience) throws {
        try store.sweep()
        let now = time(nil)
        for name in try store.names() {
            let file = Self.lock(name)
            guard let lock = try FileLock.attempt(store.locks, file, .exclusive) else { continue }
            if let used = try store.locks.statusIfPresent(file)?.modified.tv_sec, now - Int(used) >= age {
                try store.remove(name)
            }
            lock.release()
        }
    }
}

/// Where the files of a container are that is not installed: those of an image.
package struct ImageRoot: Hashable, Sendable {
    package let layout: StateLayout
    package let name: ContainerName

    package init(_ name: ContainerName, in layout: StateLayout) {
        self.name = name
        self.layout = layout.imageRoots
    }
}
