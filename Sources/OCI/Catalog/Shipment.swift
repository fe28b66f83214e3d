import Platform

/// An image of the store as it leaves it: into an archive or to a registry.
package struct Shipment: Sendable {
    /// A document with the bytes that its digest names.
    package struct Document: Sendable {
        package let descriptor: Descriptor
        package let bytes: [UInt8]
    }

    /// Manifests and indexes, each behind everything that it names; `top` is one of them.
    package private(set) var documents: [Document] = []
    /// Configs and layers, each once.
    package private(set) var blobs: [Descriptor] = []
    /// The image itself, as it leaves.
    package private(set) var top: Descriptor
    /// Platforms that the index in the store names and whose images are not there; they are left out.
    package private(set) var absent: [ImagePlatform] = []
    private var seen: Set<Digest> = []
    /// What stands for a document that has been added.
    private var made: [Digest: Descriptor] = [:]

    /// Bytes of all blobs.
    package var size: Int64 { blobs.reduce(0) { $0 + $1.size } }

    /// Everything that `top` leads to.
    ///
    /// An index of which some images are missing becomes one of those that are there, or, where that is but one
    /// image, just this image; such an index is new and has another digest.
    package init(_ top: Descriptor, named name: String, in layout: borrowing ImageLayout) throws {
        self.top = top
        self.top = try add(top, name, layout, depth: 0)
        self.top.annotations = nil
        self.top.platform = nil
    }

    /// Adds a document after everything it names; returns what stands for it.
    private mutating func add(
        _ descriptor: Descriptor, _ name: String, _ layout: borrowing ImageLayout, depth: Int
    ) throws -> Descriptor {
        guard depth <= ImageIndex.depthLimit else { throw DocumentError.tooDeep(name) }
        if let known = made[descriptor.digest] { return known }
        let bytes = try layout.read(descriptor)
        let kind = try JSON.decode(DocumentKind.self, from: bytes, name: name)
        var typed = descriptor
        typed.mediaType = try kind.requireType(announcedAs: descriptor.mediaType, name: name)
        let sent =
            typed.mediaType.isIndex
            ? try addIndex(typed, bytes, name, layout, depth) : try addManifest(typed, bytes, name, layout)
        made[descriptor.digest] = sent
        return sent
    }

    private mutating func addManifest(
        _ descriptor: Descriptor, _ bytes: [UInt8], _ name: String, _ layout: borrowing ImageLayout
    ) throws -> Descriptor {
        let manifest = try JSON.decode(Manifest.self, from: bytes, name: name)
        try Manifest.checkCount(of: manifest.layers, name: name)
        for blob in [manifest.config] + manifest.layers where !layout.has(blob) {
            throw IncompleteImage(name: name, missing: blob)
        }
        for blob in [manifest.config] + manifest.layers where seen.insert(blob.digest).inserted {
            blobs.append(blob)
        }
        append(descriptor, bytes)
        return descriptor
    }

    private mutating func addIndex(
        _ descriptor: Descriptor, _ bytes: [UInt8], _ name: String, _ layout: borrowing ImageLayout,
        _ depth: Int
    ) throws -> Descriptor {
        var index = try JSON.decode(ImageIndex.self, from: bytes, name: name)
        var present: [Descriptor] = []
        for child in index.manifests {
            guard layout.has(child), var sent = try addIfWhole(child, name, layout, depth: depth + 1) else {
                if let platform = child.platform, platform.architecture != "unknown" {
                    absent.append(platform)
                }
                continue
            }
            sent.annotations = child.annotations
            sent.platform = child.platform
            present.append(sent)
        }
        if present.map(\.digest) == index.manifests.map(\.digest) {
            append(descriptor, bytes)
            return descriptor
        }
        // What tells of an image is no image.
        let images = present.filter { $0.platform?.architecture != "unknown" }
        guard let only = images.first else {
            throw IncompleteImage(name: name, missing: index.manifests.first ?? descriptor)
        }
        if images.count == 1, depth == 0 {
            guard only.mediaType.isManifest else { return only }
            // Nothing that tells of it goes along.
            (documents, blobs, seen, made) = ([], [], [], [:])
            return try add(only, name, layout, depth: 0)
        }
        index.manifests = present
        index.mediaType = descriptor.mediaType
        let made = try JSON.encode(index)
        let new = Descriptor(
            mediaType: descriptor.mediaType, digest: try Digest.of(made), size: Int64(made.count))
        append(new, made)
        return new
    }

    /// Only the platforms that were asked for are here.
    private mutating func addIfWhole(
        _ descriptor: Descriptor, _ name: String, _ layout: borrowing ImageLayout, depth: Int
    ) throws -> Descriptor? {
        do { return try add(descriptor, name, layout, depth: depth) } catch is IncompleteImage { return nil }
    }

    private mutating func append(_ descriptor: Descriptor, _ bytes: [UInt8]) {
        var bare = descriptor
        bare.annotations = nil
        bare.platform = nil
        bare.urls = nil
        guard seen.insert(descriptor.digest).inserted else { return }
        documents.append(Document(descriptor: bare, bytes: bytes))
    }
}

/// An image that cannot leave the store, because a part of it is not there.
package struct IncompleteImage: UserFacing, Hashable {
    package let name: String
    package let missing: Descriptor

    package var message: String {
        "\(Quoted(StoredImage.familiar(name))) is not whole: \(missing.digest) is not in the image store"
    }
    package var hint: String? {
        "Fetch it first: chroot-distro pull \(Quoted(StoredImage.familiar(name)))"
    }
}
