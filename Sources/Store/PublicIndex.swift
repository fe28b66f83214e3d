import CLinux
import Libc
import Platform

/// What everybody on this host may know of the containers: `index.json`, world-readable.
///
/// It spares `list` both the right to read the store and a walk through it.
package struct PublicIndex: Codable, Sendable, Equatable {
    package var schema = 1
    package var containers: [Entry] = []

    /// One container.
    package struct Entry: Codable, Sendable, Equatable {
        package var name: String
        /// As it was typed at the installation; `nil` for a local archive.
        package var image: String?
        package var architecture: String?
        /// Bytes in files, hard links counted once, when it was last measured.
        package var size: Int64
        /// Seconds since the epoch.
        package var installed: Int64

        package init(name: String, image: String?, architecture: String?, size: Int64, installed: Int64) {
            self.name = name
            self.image = image
            self.architecture = architecture
            self.size = size
            self.installed = installed
        }
    }

    package init() {}

    private static let file: RawString = "index.json"
    private static let limit = 16 << 20

    /// Reads it; `nil` when there is no store or none that this user may see.
    package static func read(_ layout: StateLayout) throws -> PublicIndex? {
        do {
            let data = try Directory.open(layout.data)
            return try read(in: data)
        } catch let error as SystemError where error.code == ENOENT {
            return nil
        } catch let error as SystemError where error.code == EACCES {
            throw StoreError.unreadable(layout.data)
        }
    }

    /// `nil` when there is none or garbage; when it just cannot be read, what it says must not be forgotten.
    fileprivate static func read(in data: borrowing Directory) throws -> PublicIndex? {
        guard try data.statusIfPresent(file) != nil else { return nil }
        let bytes = try data.readFile(file, limit: limit)
        return try? JSONDecoder().decode(PublicIndex.self, from: bytes)
    }

    fileprivate func write(in data: borrowing Directory) throws {
        try data.replaceFile(Self.file, with: try JSONEncoder().encode(self))
    }
}

extension ContainerStore {
    static let indexLock: RawString = "index"

    /// Changes the index under a lock of its own, so that two commands never lose each other's entry.
    package func updateIndex(_ change: (inout PublicIndex) throws -> Void) throws {
        let lock = try FileLock(locks, Self.indexLock, .exclusive, wait: true)
        let known = try PublicIndex.read(in: data)
        var index = known ?? PublicIndex()
        let before = index
        try change(&index)
        index.containers.sort { $0.name < $1.name }
        if index != before { try index.write(in: data) }
        lock.release()
    }

    /// Makes the index name exactly the containers there are; `measure` tells the size of those it did not know.
    ///
    /// Nobody waits while it measures. What changes meanwhile is entered by whoever changes it.
    package func reconcileIndex(measure: (borrowing Container) throws -> Int64) throws {
        let names = try names()
        let known = try PublicIndex.read(in: data)?.containers.map(\.name)
        guard known != names.map(\.description) else { return }
        let found = try names.filter { known?.contains($0.description) != true }.compactMap { name in
            try ifPresent(name) { container in try entry(for: container, size: try measure(container)) }
        }
        try updateIndex { index in
            let present = Set(try self.names().map(\.description))
            index.containers.removeAll { !present.contains($0.name) }
            let entered = Set(index.containers.map(\.name))
            index.containers += found.filter { present.contains($0.name) && !entered.contains($0.name) }
        }
    }

    /// Measures every container anew, while nobody waits; what is not there any more keeps what is known of it.
    package func measureAll(_ measure: (borrowing Container) throws -> Int64) throws {
        var measured: [(before: PublicIndex.Entry, size: Int64?)] = []
        for entry in try PublicIndex.read(in: data)?.containers ?? [] {
            measured.append((entry, try ifPresent(try ContainerName(entry.name), measure)))
        }
        try updateIndex { index in
            for (before, size) in measured {
                // Another container may have the name by now.
                guard let size, let position = index.containers.firstIndex(of: before) else { continue }
                index.containers[position].size = size
            }
        }
    }

    /// What `body` makes of a container; `nil` when that has gone.
    private func ifPresent<Value>(
        _ name: ContainerName, _ body: (borrowing Container) throws -> Value
    ) throws -> Value? {
        do { return try body(container(name)) } catch {
            guard try contains(name) else { return nil }
            throw error
        }
    }

    /// Puts a container that has just been made into the index, in the place of one that had its name.
    package func enter(_ container: borrowing Container, size: Int64) throws {
        let entry = try entry(for: container, size: size)
        try updateIndex { index in
            index.containers.removeAll { $0.name == entry.name }
            index.containers.append(entry)
        }
    }

    /// What the index says of a container.
    package func entry(for container: borrowing Container, size: Int64) throws -> PublicIndex.Entry {
        let manifest = (try? container.manifest()) ?? ContainerManifest()
        return PublicIndex.Entry(
            name: container.name.description, image: manifest.imageReference,
            architecture: manifest.architecture,
            size: size, installed: try Int64(container.directory.status().changed.tv_sec))
    }
}
