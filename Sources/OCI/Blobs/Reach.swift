/// Everything that some documents lead to.
struct Reach {
    /// Content by its name, whether it is in the store or not.
    private(set) var digests: Set<Digest> = []

    /// Follows `tops` as far as documents are in the store; what is not here, or is no document, leads nowhere.
    init(_ tops: [Descriptor], in layout: borrowing ImageLayout) {
        var level = tops
        // Level by level, so that what is reachable on several ways is met on its shortest one.
        for _ in 0...ImageIndex.depthLimit {
            var next: [Descriptor] = []
            for descriptor in level where digests.insert(descriptor.digest).inserted {
                next += layout.children(of: descriptor)
            }
            level = next
        }
        for descriptor in level { digests.insert(descriptor.digest) }
    }
}

extension ImageLayout {
    /// What a document names; nothing for content that is no document, or not whole.
    fileprivate func children(of descriptor: Descriptor) -> [Descriptor] {
        // The entries of an index need not say what they are.
        guard
            descriptor.mediaType.isIndex || descriptor.mediaType.isManifest
                || descriptor.mediaType.rawValue.isEmpty,
            let bytes = try? read(descriptor)
        else { return [] }
        let name = descriptor.digest.description
        // A document may pretend to be both, and then leads to both.
        let index = try? JSON.decode(ImageIndex.self, from: bytes, name: name)
        let manifest = try? JSON.decode(Manifest.self, from: bytes, name: name)
        return (index?.manifests ?? []) + (manifest.map { [$0.config] + $0.layers } ?? [])
    }
}
