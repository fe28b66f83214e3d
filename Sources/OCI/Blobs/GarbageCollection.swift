import CLinux
import Libc
import Platform

/// The store while nobody else uses it: only so is anything taken out of it.
package struct SoleUse: ~Copyable {
    let store: ImageLayout
    private let lock: FileLock

    fileprivate init(of store: consuming ImageLayout, _ lock: consuming FileLock) {
        self.store = store
        self.lock = lock
    }
}

extension ImageLayout {
    /// Keeps all others from using the store as long as the result lasts.
    ///
    /// Throws `StoreInUse` while another process uses it.
    package func claim() throws -> SoleUse {
        guard let sole = try claimIfFree() else { throw StoreInUse() }
        return sole
    }

    /// The same; `nil` while another process uses the store.
    func claimIfFree() throws -> SoleUse? {
        let store = try duplicate()
        guard let lock = try FileLock.attempt(ingest, "use.lock", .exclusive) else { return nil }
        return SoleUse(of: store, lock)
    }

    /// What a collection took away.
    package struct Reclaimed: Hashable, Sendable {
        package var files = 0
        /// Bytes on the disk.
        package var bytes: Int64 = 0

        static func += (left: inout Reclaimed, right: Reclaimed) {
            left.files += right.files
            left.bytes += right.bytes
        }
    }
}

extension SoleUse {
    /// Removes all content that nobody needs, but for the youngest `spared` bytes.
    ///
    /// What a name in `index.json` leads to is needed, and what `ImageLayout.needed` tells. `onRemove` is told each file
    /// before it goes.
    package func collectGarbage(
        sparing spared: Int64 = 0, onRemove: (RawString) -> Void = { _ in }
    ) throws -> ImageLayout.Reclaimed {
        let needed = try Reach(store.index().manifests, in: store).digests.union(store.needed())
        return try sweep(needed, spared, onRemove)
    }

    /// Forgets every image and removes all content; see `collectGarbage`.
    ///
    /// The names go first, so that a crash leaves content without a name and never a name without its content.
    package func clear(onRemove: (RawString) -> Void = { _ in }) throws -> ImageLayout.Reclaimed {
        try store.untag { _ in true }
        return try sweep([], 0, onRemove)
    }

    /// Removes those of `digests` that nobody needs.
    @discardableResult
    func discard(_ digests: Set<Digest>) throws -> ImageLayout.Reclaimed {
        let unnamed = digests.subtracting(try Reach(store.index().manifests, in: store).digests)
        // Asking who needs something takes longer than knowing that nothing goes.
        return unnamed.isEmpty ? ImageLayout.Reclaimed() : try delete(unnamed.subtracting(store.needed()))
    }

    private func delete(_ digests: Set<Digest>) throws -> ImageLayout.Reclaimed {
        var result = ImageLayout.Reclaimed()
        for digest in digests {
            guard let folder = try? store.folder(digest.algorithm, make: false) else { continue }
            try ImageLayout.remove(RawString(digest.hex), from: folder, counting: &result)
        }
        return result
    }

    private func sweep(
        _ marked: Set<Digest>, _ spared: Int64, _ onRemove: (RawString) -> Void
    ) throws -> ImageLayout.Reclaimed {
        var result = try store.sweepParts(olderThan: 0, onRemove: onRemove)
        var garbage: [(algorithm: Digest.Algorithm, name: RawString, status: FileStatus)] = []
        for algorithm in Digest.Algorithm.allCases {
            guard let folder = try? store.folder(algorithm, make: false) else { continue }
            for entry in try folder.entries() where entry.kind != .directory {
                let digest = try? Digest("\(algorithm):\(entry.name.text)")
                if let digest, marked.contains(digest) { continue }
                guard let status = try folder.statusIfPresent(entry.name) else { continue }
                garbage.append((algorithm, entry.name, status))
            }
        }
        garbage.sort { ($0.status.modified.tv_sec, $0.name) > ($1.status.modified.tv_sec, $1.name) }
        var room = spared
        for item in garbage {
            let bytes = item.status.blocks * 512
            room -= bytes
            if room >= 0, spared > 0 { continue }
            onRemove(item.name)
            try ImageLayout.remove(
                item.name, from: store.folder(item.algorithm, make: false), counting: &result)
        }
        return result
    }
}

extension ImageLayout {
    /// What is here under a digest, whole or not.
    func digests() throws -> Set<Digest> {
        var result: Set<Digest> = []
        for algorithm in Digest.Algorithm.allCases {
            guard let folder = try? folder(algorithm, make: false) else { continue }
            for entry in try folder.entries() {
                if let digest = try? Digest("\(algorithm):\(entry.name.text)") { result.insert(digest) }
            }
        }
        return result
    }

    /// Removes parts that nobody has open and nobody has written to for `seconds`.
    @discardableResult
    package func sweepParts(
        olderThan seconds: Int, onRemove: (RawString) -> Void = { _ in }
    ) throws -> Reclaimed {
        var result = Reclaimed()
        let now = time(nil)
        for entry in try ingest.entries() where entry.kind == .regular {
            let name = entry.name.text
            let isNameless = name.hasPrefix("new-")
            guard isNameless || name.hasSuffix(".part") || name.hasPrefix(".tmp-") else { continue }
            guard let file = try? ingest.openFile(entry.name, O_RDONLY | O_NONBLOCK) else { continue }
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { continue }
            guard let status = try? file.status() else { continue }
            let age = now - Int(status.modified.tv_sec)
            // What has no digest yet cannot be gone on with.
            guard isNameless || age >= seconds else { continue }
            onRemove(entry.name)
            try Self.remove(entry.name, from: ingest, counting: &result)
        }
        return result
    }

    fileprivate static func remove(
        _ name: RawString, from folder: borrowing Directory, counting result: inout Reclaimed
    ) throws {
        // Another process may have removed it in the meantime.
        guard let status = try folder.statusIfPresent(name) else { return }
        do { try folder.removeFile(name) } catch  where error.code == ENOENT { return }
        result.files += 1
        result.bytes += status.blocks * 512
    }
}

/// Content cannot be removed now.
package struct StoreInUse: UserFacing, Hashable {
    package var message: String { "another command is using the image store" }
    package var hint: String? { "Try again when it has ended; nothing was removed." }
}
