import CLinux
import Libc
import Platform

extension ImageLayout {
    /// What a collection took away.
    package struct Reclaimed: Hashable, Sendable {
        package var files = 0
        /// Bytes on the disk.
        package var bytes: Int64 = 0
    }

    /// Removes all content that no name in `index.json` leads to, except `kept`.
    ///
    /// `EWOULDBLOCK` when some process uses the store at the moment.
    package func collectGarbage(keeping kept: Set<Digest> = []) throws -> Reclaimed {
        let lock = try FileLock(ingest, "use.lock", .exclusive, wait: false)
        var marked = kept
        for descriptor in try index().manifests { mark(descriptor, in: &marked, depth: 0) }
        var result = try sweepParts(olderThan: 0)
        for algorithm in Digest.Algorithm.allCases {
            guard let folder = try? folder(algorithm, make: false) else { continue }
            for entry in try folder.entries() where entry.kind != .directory {
                let digest = try? Digest("\(algorithm):\(entry.name.text)")
                if let digest, marked.contains(digest) { continue }
                try Self.remove(entry.name, from: folder, counting: &result)
            }
        }
        _ = consume lock  // It was needed up to here.
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

    /// Removes those of `digests` that no name leads to; false while another process uses the store.
    @discardableResult
    func discard(_ digests: Set<Digest>) throws -> Bool {
        if digests.isEmpty { return true }
        guard let lock = try FileLock.attempt(ingest, "use.lock", .exclusive) else { return false }
        var marked: Set<Digest> = []
        for descriptor in try index().manifests { mark(descriptor, in: &marked, depth: 0) }
        for digest in digests.subtracting(marked) { evict(digest) }
        _ = consume lock  // It was needed up to here.
        return true
    }

    /// Removes parts that nobody has open and nobody has written to for `seconds`.
    @discardableResult
    package func sweepParts(olderThan seconds: Int) throws -> Reclaimed {
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

    /// Marks a document and all that it leads to; what is not here, or is no document, leads nowhere.
    private func mark(_ descriptor: Descriptor, in marked: inout Set<Digest>, depth: Int) {
        marked.insert(descriptor.digest)
        guard depth < 4, descriptor.mediaType.isIndex || descriptor.mediaType.isManifest,
            let bytes = try? read(descriptor)
        else { return }
        let name = descriptor.digest.description
        if let index = try? JSON.decode(ImageIndex.self, from: bytes, name: name) {
            for child in index.manifests { mark(child, in: &marked, depth: depth + 1) }
        } else if let manifest = try? JSON.decode(Manifest.self, from: bytes, name: name) {
            marked.insert(manifest.config.digest)
            for layer in manifest.layers { marked.insert(layer.digest) }
        }
    }
}
