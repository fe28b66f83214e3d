/// A reference to some content: its type, size and digest (OCI image specification, descriptor.md).
package struct Descriptor: Hashable, Sendable {
    package var mediaType: MediaType
    package var digest: Digest
    /// Bytes.
    package var size: Int64
    package var urls: [String]?
    package var annotations: [String: String]?
    /// What it is made for; only the entries of an index say so.
    package var platform: ImagePlatform?
    package var artifactType: String?

    package init(
        mediaType: MediaType, digest: Digest, size: Int64, annotations: [String: String]? = nil,
        platform: ImagePlatform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
        self.platform = platform
    }

    /// The name that an image layout gives to this content.
    package var referenceName: String? { annotations?[Self.referenceNameKey] }

    /// What it is called where names are listed: the name that it was given, else its digest.
    var storedName: String { referenceName ?? digest.description }

    /// The largest size that is believed: 16 TiB, of which no sum can overflow.
    static let sizeLimit: Int64 = 1 << 44

    /// The names that a file gives to this content, the best first.
    var claimedNames: [String] {
        let full = annotations?[Self.imageNameKey]
        return [full, full == nil ? referenceName : nil].compactMap { $0 }
    }

    /// containerd's and docker's key for the whole reference.
    static let imageNameKey = "io.containerd.image.name"

    package static let referenceNameKey = "org.opencontainers.image.ref.name"
}

extension Descriptor: Codable {
    private enum Key: String, CodingKey {
        case mediaType, digest, size, urls, annotations, platform, artifactType
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        mediaType = try values.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? MediaType(rawValue: "")
        digest = try values.decode(Digest.self, forKey: .digest)
        size = try values.decode(Int64.self, forKey: .size)
        guard (0...Self.sizeLimit).contains(size) else {
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: values, debugDescription: "it is negative or too large")
        }
        urls = try values.decodeIfPresent([String].self, forKey: .urls)
        annotations = try values.decodeIfPresent([String: String].self, forKey: .annotations)
        platform = try values.decodeIfPresent(ImagePlatform.self, forKey: .platform)
        artifactType = try values.decodeIfPresent(String.self, forKey: .artifactType)
    }
}
