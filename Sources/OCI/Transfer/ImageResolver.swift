import Platform

/// Follows a name down to the manifest and config of one platform, wherever the documents come from.
struct ImageResolver<Source: DocumentSource> {
    var source: Source
    let reference: Reference
    /// What is wanted, and whether a person said so.
    let platform: ImagePlatform

    mutating func resolve(_ top: Descriptor, _ bytes: [UInt8], isFromStore: Bool) throws -> ResolvedImage {
        var top = top
        try Self.takeType(from: bytes, &top, name: reference.description)
        var descriptor = top
        var bytes = bytes
        var depth = 0
        while descriptor.mediaType.isIndex {
            depth += 1
            guard depth <= ImageIndex.depthLimit else { throw DocumentError.tooDeep(reference.description) }
            let index = try JSON.decode(ImageIndex.self, from: bytes, name: reference.description)
            descriptor = try choose(from: index)
            bytes = try source.document(descriptor)
            try Self.takeType(from: bytes, &descriptor, name: reference.description)
        }
        let manifest = try Document<Manifest>(bytes, for: descriptor, name: reference.description)
        try Manifest.checkCount(of: manifest.value.layers, name: reference.description)
        let config = try readConfig(manifest.value)
        try check(manifest.value, config.value)
        return ResolvedImage(
            reference: reference, platform: config.value.platform ?? descriptor.platform ?? platform,
            top: top,
            descriptor: descriptor, manifest: manifest, config: config, isFromStore: isFromStore)
    }

    private static func takeType(
        from bytes: [UInt8], _ descriptor: inout Descriptor, name: String
    ) throws {
        let kind = try JSON.decode(DocumentKind.self, from: bytes, name: name)
        descriptor.mediaType = try kind.requireType(announcedAs: descriptor.mediaType, name: name)
    }

    /// The entry that suits the platform best; an index in an index stands for what it says, or for anything.
    private func choose(from index: ImageIndex) throws -> Descriptor {
        let images = index.manifests.filter { entry in
            (entry.mediaType.isManifest || entry.mediaType.isIndex || entry.mediaType.rawValue.isEmpty)
                && entry.platform?.architecture != "unknown" && entry.artifactType == nil
        }
        let suitable = images.compactMap { entry in
            entry.platform.flatMap { platform.distance(to: $0) }.map { (entry, $0) }
        }
        if let best = suitable.min(by: { $0.1 < $1.1 }) { return best.0 }
        let silent = images.filter { $0.platform == nil }
        if let nested = silent.first(where: { $0.mediaType.isIndex }) { return nested }
        if silent.count == 1, images.count == 1 { return silent[0] }
        throw ImagePlatformError.notOffered(
            platform, image: reference.description, offers: images.compactMap(\.platform))
    }

    private mutating func readConfig(_ manifest: Manifest) throws -> Document<ImageConfig> {
        let type = manifest.config.mediaType
        guard type == .ociConfig || type == .dockerConfig || type.rawValue.isEmpty else {
            throw DocumentError.wrongKind(reference.description, mediaType: type.rawValue)
        }
        let bytes = try source.document(manifest.config)
        return try Document(bytes, for: manifest.config, name: "the config of \(reference)")
    }

    private func check(_ manifest: Manifest, _ config: ImageConfig) throws {
        if let made = config.platform, platform.distance(to: made) == nil {
            throw ImagePlatformError.notOffered(platform, image: reference.description, offers: [made])
        }
        for layer in manifest.layers where layer.mediaType.layerKind != .archive {
            throw UnusableLayer(layer: layer.digest, mediaType: layer.mediaType)
        }
        guard config.diffIDs.isEmpty || config.diffIDs.count == manifest.layers.count else {
            throw DocumentError.layerCount(
                reference.description, layers: manifest.layers.count, diffIDs: config.diffIDs.count)
        }
    }
}

/// Where documents come from; each is exactly what its descriptor names.
protocol DocumentSource {
    mutating func document(_ descriptor: Descriptor) throws -> [UInt8]
}

/// A layer that cannot be unpacked.
package struct UnusableLayer: UserFacing, Hashable {
    package let layer: Digest
    package let mediaType: MediaType

    package var message: String {
        switch mediaType.layerKind {
        case .encrypted: "layer \(layer.short) is encrypted, and there are no keys for it"
        case .nondistributable: "layer \(layer.short) may not be distributed by registries: \(type)"
        case .archive, .unknown: "layer \(layer.short) is of a type that is not known here: \(type)"
        }
    }

    private var type: Quoted { Quoted(mediaType.rawValue) }
}
