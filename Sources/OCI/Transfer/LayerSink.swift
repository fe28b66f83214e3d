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

    func diffID(_ index: Int) -> Digest? {
        let all = config.value.diffIDs
        return index < all.count ? all[index] : nil
    }
}
