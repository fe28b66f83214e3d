import Platform

/// The documents that the store has.
final class StoredDocuments: DocumentSource {
    private let store: ImageLayout

    init(store: consuming ImageLayout) { self.store = store }

    func document(_ descriptor: Descriptor) throws -> [UInt8] { try store.read(descriptor) }
}

/// The documents that a registry has; those that the store has are not asked for, and the others are kept there.
final class RemoteDocuments: DocumentSource {
    private let client: RegistryClient
    private let image: Reference
    private let store: ImageLayout

    init(client: RegistryClient, image: Reference, store: consuming ImageLayout) {
        self.client = client
        self.image = image
        self.store = store
    }

    func document(_ descriptor: Descriptor) throws -> [UInt8] {
        if let bytes = try? store.read(descriptor) { return bytes }
        let isManifest = descriptor.mediaType.isIndex || descriptor.mediaType.isManifest
        let bytes =
            isManifest
            ? try client.manifest(of: image, descriptor.digest.description).bytes
            : try client.blob(of: image, descriptor)
        guard bytes.count == descriptor.size else {
            throw BlobError.wrongSize(
                descriptor.digest, expected: descriptor.size, actual: Int64(bytes.count))
        }
        let actual = try Digest.of(bytes, descriptor.digest.algorithm)
        guard actual == descriptor.digest else {
            throw BlobError.wrongDigest(descriptor.digest, actual: actual)
        }
        try store.put(bytes, as: descriptor.digest)
        return bytes
    }
}

extension ImageLayout {
    /// Bytes that unfinished downloads hold.
    func partSpace() throws -> Int64 {
        var sum: Int64 = 0
        for entry in try ingest.entries() where entry.name.text.hasSuffix(".part") {
            sum += try ingest.statusIfPresent(entry.name)?.size ?? 0
        }
        return sum
    }
}
