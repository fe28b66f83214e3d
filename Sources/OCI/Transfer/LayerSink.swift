import Archive

/// A layer that can be read from its start.
package struct PulledLayer {
    /// 0 is the lowest.
    package let index: Int
    package let descriptor: Descriptor
    /// The digest of the layer as a plain tar archive; `nil` when the image does not say.
    package let diffID: Digest?
    /// As it is stored, compressed; not verified.
    package let content: any ByteSource
}

/// Takes the layers of an image, one after the other.
package protocol LayerSink {
    /// Called in the pulling thread, in the order of the layers, while later ones are still on their way.
    mutating func apply(_ layer: PulledLayer) throws
}

/// Leaves the layers in the store.
struct NoSink: LayerSink {
    mutating func apply(_ layer: PulledLayer) {}
}

/// When a registry is asked although the store has the image.
package enum PullPolicy: String, CaseIterable, Sendable {
    /// Only when something is missing.
    case missing
    /// Always, to learn whether the tag has moved.
    case always
    /// Never.
    case never
}

/// An image with its documents, each with the bytes that its digest names.
package struct ResolvedImage: Sendable {
    package let reference: Reference
    package let platform: ImagePlatform
    /// What the reference names: the manifest, or the index that it was chosen from.
    package let top: Descriptor
    package let descriptor: Descriptor
    package let manifest: Document<Manifest>
    package let config: Document<ImageConfig>
    /// Whether no registry was asked.
    package let isFromStore: Bool

    /// Bytes of all layers as they are stored.
    package var size: Int64 { manifest.value.layers.reduce(0) { $0 + $1.size } }

    /// What it is made of.
    package var stack: LayerStack {
        LayerStack(of: reference, manifest.value.layers, config.value.diffIDs)
    }
}

/// The layers of an image, the lowest first, wherever they are named.
package struct LayerStack: Sendable {
    /// What errors call the image.
    package let reference: Reference
    package let layers: [Descriptor]
    private let diffIDs: [Digest]

    /// `diffIDs` are those of the layers in their order, or none.
    package init(of reference: Reference, _ layers: [Descriptor], _ diffIDs: [Digest]) {
        self.reference = reference
        self.layers = layers
        self.diffIDs = diffIDs
    }

    func diffID(_ index: Int) -> Digest? { index < diffIDs.count ? diffIDs[index] : nil }

    /// Whether all layers are in the store, as far as their sizes tell.
    package func isStored(in store: borrowing ImageLayout) -> Bool {
        for layer in layers where !store.has(layer) { return false }
        return true
    }
}
