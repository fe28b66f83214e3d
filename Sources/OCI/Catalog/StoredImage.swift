import Platform

/// An image for one platform that is in the store under some name.
package struct StoredImage: Sendable {
    /// As it stands in `index.json`: the whole reference.
    package let name: String
    /// What the name stands for: the manifest, or the index that leads to it.
    package let top: Descriptor
    /// Of the manifest.
    package let descriptor: Descriptor
    package let manifest: Manifest
    package let config: ImageConfig
    /// `nil` when neither the config nor an index says it.
    package let platform: ImagePlatform?
    /// Layers that are not in the store.
    package let missing: [Descriptor]

    /// What people call the ID of an image: the digest of its config.
    package var id: Digest { manifest.config.digest }

    /// Bytes of all layers as they are stored.
    package var size: Int64 { manifest.layers.reduce(0) { $0 + $1.size } }

    package var created: Timestamp? { config.created.flatMap { Timestamp($0) } }

    /// The reference, in the form that people type.
    package var familiarName: String { Self.familiar(name) }

    package static func familiar(_ name: String) -> String { (try? Reference(name))?.familiar ?? name }

    /// Everything that it is made of, each once, the manifest first.
    package var parts: [Descriptor] {
        var seen: Set<Digest> = []
        return ([descriptor, manifest.config] + manifest.layers).filter { seen.insert($0.digest).inserted }
    }
}

/// The images that the store has.
package struct ImageCatalog: Sendable {
    /// Sorted by name, then by platform.
    package private(set) var images: [StoredImage] = []
    /// Names of which nothing can be read.
    package private(set) var damaged: [String] = []

    package init() {}

    /// Reads every document that a name leads to; what cannot be read is left out of `images`.
    package init(_ layout: borrowing ImageLayout) throws {
        for entry in try layout.index().manifests {
            let name = entry.storedName
            var top = entry
            top.annotations = nil
            let found = Self.images(of: name, top, in: layout)
            images += found
            if found.isEmpty { damaged.append(name) }
        }
        images.sort {
            ($0.name, $0.platform?.description ?? "") < ($1.name, $1.platform?.description ?? "")
        }
        damaged.sort()
    }

    /// The images that `top` leads to; only the platforms that were asked for are here.
    static func images(
        of name: String, _ top: Descriptor, in layout: borrowing ImageLayout
    ) -> [StoredImage] {
        var images: [StoredImage] = []
        var seen: Set<Digest> = []
        var level = [top]
        for _ in 0...ImageIndex.depthLimit {
            var next: [Descriptor] = []
            for descriptor in level where seen.insert(descriptor.digest).inserted {
                guard let bytes = try? layout.read(descriptor) else { continue }
                if let index = try? JSON.decode(ImageIndex.self, from: bytes, name: name) {
                    next += index.manifests
                } else if let image = image(name, top, descriptor, bytes, layout) {
                    images.append(image)
                }
            }
            level = next
        }
        return images
    }

    private static func image(
        _ name: String, _ top: Descriptor, _ descriptor: Descriptor, _ bytes: [UInt8],
        _ layout: borrowing ImageLayout
    ) -> StoredImage? {
        guard let manifest = try? JSON.decode(Manifest.self, from: bytes, name: name),
            manifest.layers.count <= Manifest.layerLimit,
            let document = try? layout.read(manifest.config),
            let config = try? JSON.decode(ImageConfig.self, from: document, name: name)
        else { return nil }
        let platform = config.platform ?? descriptor.platform
        // What stands beside an image in its index and tells of it, such as how it was built, is none.
        guard descriptor.platform?.architecture != "unknown", platform?.architecture != "unknown" else {
            return nil
        }
        var typed = descriptor
        if !typed.mediaType.isManifest { typed.mediaType = manifest.mediaType ?? .ociManifest }
        return StoredImage(
            name: name, top: top, descriptor: typed, manifest: manifest, config: config, platform: platform,
            missing: manifest.layers.filter { !layout.has($0) })
    }
}
