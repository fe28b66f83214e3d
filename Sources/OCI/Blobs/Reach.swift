import Platform

/// Everything that some documents lead to.
///
/// What content is tells the content itself: neither the type that it was announced with nor the place where it was
/// named, which anybody may have chosen, decides about what is behind it.
struct Reach {
    /// Content by its name, whether it is in the store or not.
    private(set) var digests: Set<Digest> = []

    /// Follows `tops` as far as documents are in the store; what is not here, or is no document, leads nowhere.
    init(_ tops: [Descriptor], in layout: borrowing ImageLayout) {
        var level = tops.map(\.digest)
        // Level by level, so that what is reachable on several ways is met on its shortest one.
        for _ in 0...ImageIndex.depthLimit {
            var next: [Digest] = []
            for digest in level where digests.insert(digest).inserted {
                next += layout.children(of: digest).map(\.digest)
            }
            level = next
        }
        digests.formUnion(level)
    }
}

extension ImageLayout {
    /// What a document names; nothing for content that is no document, or not whole.
    fileprivate func children(of digest: Digest) -> [Descriptor] {
        guard let bytes = try? readObject(digest) else { return [] }
        let name = digest.description
        // A document may pretend to be both, and then leads to both.
        let index = try? JSON.decode(ImageIndex.self, from: bytes, name: name)
        let manifest = try? JSON.decode(Manifest.self, from: bytes, name: name)
        return (index?.manifests ?? []) + (manifest.map { [$0.config] + $0.layers } ?? [])
    }

    /// Content that may be an object in JSON, by its size and its first byte; not verified.
    private func readObject(_ digest: Digest) throws -> [UInt8]? {
        let file = try openAny(digest)
        let status = try file.status()
        guard status.kind == .regular, (1...Int64(documentLimit)).contains(status.size) else { return nil }
        var first: UInt8 = 0
        _ = try withUnsafeMutableBytes(of: &first) { try file.read(into: $0, at: 0) }
        guard "{ \t\r\n".utf8.contains(first) else { return nil }
        return try file.readAll(limit: documentLimit)
    }
}
