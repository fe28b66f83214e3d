/// What a blob is said to contain.
///
/// The names are those of the OCI image specification (media-types.md) and of Docker's registry API, schema 2.
package struct MediaType: Hashable, Sendable, RawRepresentable, Codable {
    package let rawValue: String

    /// Parameters after a semicolon are left off, and all from the first character on that no type has.
    package init(rawValue: String) {
        let bare = rawValue.utf8.prefix { Self.isVisible($0) && $0 != UInt8(ascii: ";") }
        self.rawValue = String(decoding: bare, as: UTF8.self).lowercased()
    }

    private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

    package static let ociIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
    package static let ociManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
    package static let ociConfig = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
    package static let ociLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
    package static let ociLayerGzip = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
    package static let ociLayerZstd = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")
    package static let dockerList = MediaType(
        rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
    package static let dockerManifest = MediaType(
        rawValue: "application/vnd.docker.distribution.manifest.v2+json")
    package static let dockerConfig = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
    package static let dockerLayer = MediaType(
        rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")

    /// What is asked for when a manifest is wanted, the best first.
    static let acceptedManifests = [ociIndex, dockerList, ociManifest, dockerManifest]

    package var isIndex: Bool { self == .ociIndex || self == .dockerList }
    package var isManifest: Bool { self == .ociManifest || self == .dockerManifest }

    /// How a layer of this type is to be treated.
    package enum LayerKind: Sendable {
        /// A tar archive, compressed or not; the compression is told by its first bytes.
        case archive
        /// A tar archive that registries may refuse to keep.
        case nondistributable
        case encrypted
        case unknown
    }

    package var layerKind: LayerKind {
        if rawValue.hasSuffix("+encrypted") { return .encrypted }
        if rawValue.hasPrefix("application/vnd.oci.image.layer.nondistributable.v1.tar")
            || rawValue.hasPrefix("application/vnd.docker.image.rootfs.foreign.diff.tar")
        {
            return .nondistributable
        }
        if rawValue.hasPrefix("application/vnd.oci.image.layer.v1.tar")
            || rawValue.hasPrefix("application/vnd.docker.image.rootfs.diff.tar")
        {
            return .archive
        }
        return .unknown
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.utf8.allSatisfy({ Self.isVisible($0) || $0 == UInt8(ascii: " ") }) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "it has characters that no type has")
        }
        self.init(rawValue: text)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
