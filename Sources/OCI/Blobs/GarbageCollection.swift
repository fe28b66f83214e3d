import CLinux
import Libc
import Platform

extension ImageLayout {
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

    /// Removes all content that no name in `index.json` leads to, except `kept` and the youngest `spared` bytes.
    ///
    /// Throws `StoreInUse` while another process uses the store. `onRemove` is told each file before it goes.
    package func collectGarbage(
        keeping kept: Set<Digest> = [], sparing spared: Int64 = 0, onRemove: (RawString) -> Void = { _ in }
    ) throws -> Reclaimed {
        let lock = try exclusive()
        let result = try sweep(Reach(index().manifests, in: self).digests.union(kept), spared, onRemove)
        _ = consume lock  // It was needed up to here.
        return result
    }

    /// Forgets every image and removes all content; see `collectGarbage`.
    ///
    /// The names go first, so that a crash leaves content without a name and never a name without its content.
    package func clear(onRemove: (RawString) -> Void = { _ in }) throws -> Reclaimed {
        let lock = try exclusive()
        try untag { _ in true }
        let result = try sweep([], 0, onRemove)
        _ = consume lock  // It was needed up to here.
        return result
    }

    /// The store for this process alone.
    func exclusive() throws -> FileLock {
        guard let lock = try FileLock.attempt(ingest, "use.lock", .exclusive) else { throw StoreInUse() }
        return lock
    }

    private func sweep(
        _ marked: Set<Digest>, _ spared: Int64, _ onRemove: (RawString) -> Void
    ) throws -> Reclaimed {
        var result = try sweepParts(olderThan: 0, onRemove: onRemove)
        var garbage: [(algorithm: Digest.Algorithm, name: RawString, status: FileStatus)] = []
        for algorithm in Digest.Algorithm.allCases {
            guard let folder = try? folder(algorithm, make: false) else { continue }
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
            try Self.remove(item.name, from: folder(item.algorithm, make: false), counting: &result)
        }
        return result
    }

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

    /// Removes those of `digests` that no name leads to; `nil` while another process uses the store.
    @discardableResult
    func discard(_ digests: Set<Digest>) throws -> Reclaimed? {
        var result = Reclaimed()
        if digests.isEmpty { return result }
        guard let lock = try FileLock.attempt(ingest, "use.lock", .exclusive) else { return nil }
        for digest in digests.subtracting(try Reach(index().manifests, in: self).digests) {
            guard let folder = try? folder(digest.algorithm, make: false) else { continue }
            try Self.remove(RawString(digest.hex), from: folder, counting: &result)
        }
        _ = consume lock  // It was needed up to here.
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

    private static func remove(
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
