/// One image: its config and its layers, the lowest first (OCI image specification, manifest.md).
package struct Manifest: Codable, Hashable, Sendable {
    package var schemaVersion = 2
    package var mediaType: MediaType?
    package var config: Descriptor
    package var layers: [Descriptor]
    package var annotations: [String: String]?

    package init(
        mediaType: MediaType = .ociManifest, config: Descriptor, layers: [Descriptor],
        annotations: [String: String]? = nil
    ) {
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    /// Docker makes at most 127; whoever has more than this many wants to keep us busy.
    static let layerLimit = 1000

    static func checkCount(of layers: some Collection, name: String) throws(DocumentError) {
        guard layers.count <= layerLimit else { throw .tooManyLayers(name, layers: layers.count) }
    }
}

/// Several images under one name, one per platform (OCI image specification, image-index.md).
package struct ImageIndex: Codable, Hashable, Sendable {
    package var schemaVersion = 2
    package var mediaType: MediaType?
    package var manifests: [Descriptor]
    package var annotations: [String: String]?

    package init(
        mediaType: MediaType = .ociIndex, manifests: [Descriptor], annotations: [String: String]? = nil
    ) {
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
    }
}

extension ImageIndex {
    /// An index may hold indexes: this many, one in the other, are followed.
    static let depthLimit = 4
}

/// What a document says of its own kind; registries and layouts do not always say it.
struct DocumentKind: Decodable {
    let mediaType: MediaType?
    let isIndex: Bool
    let isManifest: Bool

    private enum Key: String, CodingKey { case mediaType, manifests, config, layers }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        mediaType = try values.decodeIfPresent(MediaType.self, forKey: .mediaType)
        isIndex = values.contains(.manifests)
        isManifest = values.contains(.config) && values.contains(.layers)
    }

    /// The type of the document: what it says of itself counts first, then what it was announced as, then its fields.
    ///
    /// `nil` when it is neither an index nor a manifest.
    func type(announcedAs announced: MediaType) -> MediaType? {
        let said = mediaType ?? announced
        if said.isIndex || (isIndex && !isManifest) { return said.isIndex ? said : .ociIndex }
        guard said.isManifest || isManifest else { return nil }
        return said.isManifest ? said : .ociManifest
    }

    /// The same; an error names what is of another kind.
    func requireType(announcedAs announced: MediaType, name: String) throws(DocumentError) -> MediaType {
        guard let type = type(announcedAs: announced) else {
            throw .wrongKind(name, mediaType: (mediaType ?? announced).rawValue)
        }
        return type
    }
}
