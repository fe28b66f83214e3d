import CLinux
import Libc
import Platform

/// The containers on this host, and the directories in which they are prepared and thrown away.
///
/// ```
/// data/  index.json           public facts, for whoever may not read the rest
///        containers/NAME/     rootfs/ manifest.json config.json          0700
///        staging/NAME.RANDOM/ a container being made; swept when its maker is gone
///        trash/               what is being deleted
///        locks/NAME.lock
/// ```
package struct ContainerStore: ~Copyable {
    package let layout: StateLayout
    let data: Directory
    let containers: Directory
    let locks: Directory

    /// Opens the store for changes; what is missing is made.
    package static func open(_ layout: StateLayout) throws -> ContainerStore {
        let data = try openTrusted(layout.data)
        return ContainerStore(
            layout: layout, containers: try data.openOrMakeDirectory("containers", mode: 0o700),
            locks: try data.openOrMakeDirectory("locks", mode: 0o700), data: data)
    }

    private init(
        layout: StateLayout, containers: consuming Directory, locks: consuming Directory,
        data: consuming Directory
    ) {
        self.layout = layout
        self.containers = containers
        self.locks = locks
        self.data = data
    }

    /// Opens a directory that nobody else can have put anything into, after making what is missing of its path.
    package static func openTrusted(_ path: HostPath) throws -> Directory {
        try requireTrusted(try makePath(path), path)
    }

    private static func requireTrusted(
        _ directory: consuming Directory, _ path: HostPath
    ) throws -> Directory {
        let status = try directory.status()
        guard status.owner == geteuid(), status.permissions & 0o022 == 0 else {
            throw StoreError.untrusted(path)
        }
        return directory
    }

    /// Opens a directory of ours, after making what is missing of its path.
    package static func makePath(_ path: HostPath) throws(SystemError) -> Directory {
        do { return try Directory.open(path) } catch  where error.code == ENOENT {}
        let parent = try makePath(path.parent)
        return try parent.openOrMakeDirectory(RawString(path.lastComponent), mode: 0o755)
    }

    // MARK: - Finding

    /// The installed containers, in the order of their names.
    package func names() throws -> [ContainerName] {
        try containers.entries().compactMap { entry in
            guard let name = try? ContainerName(entry.name.text) else { return nil }
            return try hasRootfs(name) ? name : nil
        }.sorted()
    }

    package func contains(_ name: ContainerName) throws -> Bool { try hasRootfs(name) }

    private func hasRootfs(_ name: ContainerName) throws(SystemError) -> Bool {
        do {
            return try containers.openDirectory(name.file).statusIfPresent("rootfs")?.kind == .directory
        } catch  where error.code == ENOENT || error.code == ENOTDIR || error.code == ELOOP {
            return false
        }
    }

    package func container(_ name: ContainerName) throws -> Container {
        guard let container = try containerIfInstalled(name) else { throw try notInstalled(name) }
        return container
    }

    /// The same; `nil` when there is no such container.
    package func containerIfInstalled(_ name: ContainerName) throws -> Container? {
        guard try contains(name) else { return nil }
        return Container(name: name, directory: try containers.openDirectory(name.file))
    }

    /// The root file system of a container, opened without anything else of the store.
    ///
    /// The path may lead to another directory than it did when the store was opened.
    package static func rootfsDirectory(of name: ContainerName, in layout: StateLayout) throws -> Directory {
        try requireTrusted(try Directory.open(layout.data), layout.data).openDirectory("containers")
            .openDirectory(name.file).openDirectory("rootfs")
    }

    package func notInstalled(_ name: ContainerName) throws -> StoreError {
        let near = NearMiss.of(name.description, among: try names().map(\.description))
        return .notInstalled(name, near: try near.map { try ContainerName($0) })
    }

    // MARK: - Locks

    /// How long a command waits for another one that is only starting a session.
    private static let patience: (tries: Int, pause: useconds_t) = (80, 25_000)

    /// Takes the lock of one container: sessions share it while they start, changes have it alone.
    package func lock(
        _ name: ContainerName, _ mode: FileLock.Mode, for purpose: String
    ) throws -> FileLock {
        var lock = try attempt(name, mode)
        for _ in 0..<Self.patience.tries where lock == nil {
            usleep(Self.patience.pause)
            lock = try attempt(name, mode)
        }
        guard let lock else {
            throw StoreError.busy(name, holder: FileLock.note(in: locks, Self.lockFile(name)))
        }
        if mode == .exclusive { lock.note("\(purpose) (process \(getpid()))") }
        return lock
    }

    /// Takes the lock of one container if nobody has it.
    func attempt(_ name: ContainerName, _ mode: FileLock.Mode) throws(SystemError) -> FileLock? {
        try FileLock.attempt(locks, Self.lockFile(name), mode)
    }

    private static func lockFile(_ name: ContainerName) -> RawString { RawString(name.description + ".lock") }

    // MARK: - Changing

    /// Renames a container; the caller has both names locked and has seen that it does not run.
    package func rename(_ old: ContainerName, to new: ContainerName) throws {
        do {
            try containers.rename(old.file, to: containers, new.file, .failIfTaken)
        } catch  where error.code == EEXIST {
            throw StoreError.nameTaken(new)
        }
        try containers.synchronize()
    }

    /// Refuses when one of the mount points is inside the container; before anything of it is touched.
    package func requireUnmounted(_ name: ContainerName, mountPoints: [String]) throws {
        let place = try Directory.open("/proc/self/fd").readSymbolicLink(RawString("\(containers.raw)"))
        let rootfs = GuestPath(place).appending(name.file).appending("rootfs")
        for path in mountPoints.map({ GuestPath($0) }) where path.isWithin(rootfs) {
            let inside = GuestPath(components: Array(path.components.dropFirst(rootfs.components.count)))
            throw StoreError.mountInside(name, inside)
        }
    }

    /// Throws a container away; the caller has it locked and has ended what ran in it.
    ///
    /// First it is renamed into the trash, so that a crash leaves the whole or nothing; then the index forgets it, and
    /// then it is deleted.
    package func remove(_ name: ContainerName, onDelete: ((RawString) -> Void)? = nil) throws {
        let trash = try Trash(in: data)
        guard let thrown = try trash.takeIfPresent(name.file, from: containers) else {
            throw try notInstalled(name)
        }
        try containers.synchronize()
        let forgotten = Result { try forget(name) }
        try trash.delete(thrown, name: name, onDelete: onDelete)
        // On a full disk there is room for the index only now.
        if case .failure = forgotten { try forget(name) }
    }

    private func forget(_ name: ContainerName) throws {
        try updateIndex { index in index.containers.removeAll { $0.name == name.description } }
    }

    /// Deletes what killed commands left behind.
    ///
    /// One place that cannot be swept does not keep the others from it; the first failure is thrown at the end.
    package func sweep() throws {
        let results = [
            Result { try sweepTemporaryFiles() }, Result { try sweepStaging() }, Result { try sweepTrash() },
        ]
        for result in results { try result.get() }
    }

    private func sweepTemporaryFiles() throws {
        // Whoever has the lock is writing the index, and its temporary file is no debris.
        guard let lock = try FileLock.attempt(locks, Self.indexLock, .exclusive) else { return }
        try data.removeTemporaryFiles()
        lock.release()
    }

    private func sweepStaging() throws {
        // Whoever has the lock is making a directory there, which is not locked yet.
        guard let making = try FileLock.attempt(locks, Self.stagingLock, .exclusive) else { return }
        if try data.statusIfPresent("staging") != nil {
            try Staging.sweep(data.openDirectory("staging"), into: Trash(in: data))
        }
        making.release()
    }

    private func sweepTrash() throws {
        guard try data.statusIfPresent("trash") != nil else { return }
        try Trash(in: data).sweep()
    }

    /// Begins to make a container of that name beside the others; one that replaces another is not published but put
    /// in its place with `replace`.
    package func stage(_ name: ContainerName, replacing: Bool = false) throws -> Staging {
        guard try replacing || !contains(name) else { throw StoreError.nameTaken(name) }
        // On a disk that is full later, nothing could be thrown away for want of a place.
        _ = try data.openOrMakeDirectory("trash", mode: 0o700)
        let making = try FileLock(locks, Self.stagingLock, .shared, wait: true)
        let staging = try Staging(name, in: data.openOrMakeDirectory("staging", mode: 0o700))
        making.release()
        return staging
    }

    private static let stagingLock: RawString = "staging"

    /// Puts a finished container in its place, in one step; what cannot get there is thrown away.
    package func commit(_ staging: consuming Staging) throws {
        do {
            try clear(staging.name)
            try staging.publish(in: containers)
        } catch {
            try? staging.discard(in: self)
            throw error
        }
        try containers.synchronize()
    }

    /// Puts a finished container in the place of the one that has its name, in one step, and deletes that one.
    ///
    /// What lies beside the old root stays, but for what tells of that root. The caller has the container locked and
    /// has ended what ran in it. `EINVAL` on file systems that cannot exchange two directories (renameat2(2)).
    package func replace(with staging: consuming Staging) throws {
        do {
            let old = try container(staging.name)
            try staging.inherit(from: old)
            // The old one is about to be deleted, so the new one has to be on the disk.
            let raw = staging.directory.raw
            try syscall("syncfs", staging.name.description) { cd_syncfs(raw) }
            try staging.exchange(in: containers)
        } catch {
            try? staging.discard(in: self)
            throw error
        }
        try containers.synchronize()
        // Under the name that was the new one's, there is the old one now.
        try staging.discard(in: self)
    }

    /// A directory without a rootfs is what an older program's failed install left.
    private func clear(_ name: ContainerName) throws {
        guard try !contains(name), try containers.statusIfPresent(name.file) != nil else { return }
        let trash = try Trash(in: data)
        let thrown = try trash.take(name.file, from: containers)
        try trash.delete(thrown, name: name)
    }
}
