/// What an image says about running it, and what its layers are (OCI image specification, config.md).
package struct ImageConfig: Hashable, Sendable {
    package var created: String?
    package var author: String?
    package var platform: ImagePlatform?
    package var config: ContainerConfig
    /// The digests of the layers as plain tar archives, the lowest first.
    package var diffIDs: [Digest]
    package var history: [History]

    package init(
        created: String? = nil, author: String? = nil, platform: ImagePlatform? = nil,
        config: ContainerConfig = ContainerConfig(), diffIDs: [Digest] = [], history: [History] = []
    ) {
        self.created = created
        self.author = author
        self.platform = platform
        self.config = config
        self.diffIDs = diffIDs
        self.history = history
    }
}

extension ImageConfig: Codable {
    private enum Key: String, CodingKey {
        case created, author, architecture, os, variant, config, rootfs, history
    }
    private struct RootFS: Codable {
        var type = "layers"
        var diff_ids: [Digest]?
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        created = try values.decodeIfPresent(String.self, forKey: .created)
        author = try values.decodeIfPresent(String.self, forKey: .author)
        let architecture = try values.decodeIfPresent(String.self, forKey: .architecture) ?? ""
        platform =
            architecture.isEmpty
            ? nil
            : ImagePlatform(
                os: try values.decodeIfPresent(String.self, forKey: .os) ?? "linux",
                architecture: architecture,
                variant: try values.decodeIfPresent(String.self, forKey: .variant))
        config = try values.decodeIfPresent(ContainerConfig.self, forKey: .config) ?? ContainerConfig()
        diffIDs = try values.decodeIfPresent(RootFS.self, forKey: .rootfs)?.diff_ids ?? []
        history = try values.decodeIfPresent([History].self, forKey: .history) ?? []
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(created, forKey: .created)
        try values.encodeIfPresent(author, forKey: .author)
        try values.encode(platform?.architecture ?? "", forKey: .architecture)
        try values.encode(platform?.os ?? "linux", forKey: .os)
        try values.encodeIfPresent(platform?.variant, forKey: .variant)
        try values.encode(config, forKey: .config)
        try values.encode(RootFS(diff_ids: diffIDs), forKey: .rootfs)
        if !history.isEmpty { try values.encode(history, forKey: .history) }
    }
}

/// How a layer came to be; the entries with `emptyLayer` left no layer behind.
package struct History: Codable, Hashable, Sendable {
    package var created: String?
    package var createdBy: String?
    package var author: String?
    package var comment: String?
    package var emptyLayer: Bool?

    private enum CodingKeys: String, CodingKey {
        case created, author, comment
        case createdBy = "created_by"
        case emptyLayer = "empty_layer"
    }

    package init(
        created: String? = nil, createdBy: String? = nil, comment: String? = nil, emptyLayer: Bool? = nil
    ) {
        self.created = created
        self.createdBy = createdBy
        self.comment = comment
        self.emptyLayer = emptyLayer
    }
}
