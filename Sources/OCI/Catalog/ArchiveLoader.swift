import Archive
import Platform

/// An image that came out of an archive, with every platform that the archive has.
package struct LoadedImage: Sendable {
    /// The names that it has now.
    package let names: [Reference]
    package let top: Descriptor
    package let platforms: [ImagePlatform]
}

extension ArchiveImporter {
    /// Takes all images out of an archive, under the names that it gives to them.
    ///
    /// The names are taken only when everything is in the store, verified: all of them or none. One that stands for
    /// another image already is an error unless `replaces`. A file that gives an image no usable name leaves it
    /// `localhost/imported@DIGEST`; `name` is used instead of all names when the file has but one image.
    package static func loadAll(
        _ file: any ByteSource, into store: borrowing ImageLayout, as name: Reference? = nil,
        replaces: Bool = false
    ) throws -> [LoadedImage] {
        var contents = try ArchiveContents(Compression.open(file))
        return try store.bringing {
            try contents.read(into: store)
            let candidates = try contents.index().map(named) ?? contents.dockerImages(in: store)
            let source = try ArchiveDocuments(contents, store: store.duplicate())
            return try loadAll(candidates, from: source, into: store, as: name, replaces: replaces)
        }
    }

    /// The same of an OCI layout that is a directory of this host.
    package static func loadAll(
        _ directory: borrowing Directory, into store: borrowing ImageLayout, as name: Reference? = nil,
        replaces: Bool = false
    ) throws -> [LoadedImage] {
        let index = try index(of: directory)
        let source = LayoutDocuments(
            blobs: try directory.openDirectory("blobs"), store: try store.duplicate())
        return try store.bringing {
            try loadAll(named(index), from: source, into: store, as: name, replaces: replaces)
        }
    }

    private static func loadAll(
        _ candidates: [NamedImage], from contents: some ImageContents, into store: borrowing ImageLayout,
        as name: Reference?, replaces: Bool
    ) throws -> [LoadedImage] {
        var loaded: [LoadedImage] = []
        for candidate in merged(candidates) {
            loaded.append(try load(candidate, from: contents, into: store))
        }
        guard !loaded.isEmpty else { throw BlobError.notALayout("it has no image") }
        if let name {
            guard loaded.count == 1 else { throw LoadError.oneName(images: loaded.count) }
            loaded[0] = LoadedImage(names: [name], top: loaded[0].top, platforms: loaded[0].platforms)
        }
        let names = try names(of: loaded)
        try store.flush(loaded.map(\.top))
        try store.tag(names) { if !replaces { try requireFree(names, in: $0) } }
        return loaded
    }

    /// One image may have an entry for each of its names.
    private static func merged(_ candidates: [NamedImage]) -> [NamedImage] {
        var result: [NamedImage] = []
        for candidate in candidates {
            if let index = result.firstIndex(where: { $0.descriptor.digest == candidate.descriptor.digest }) {
                result[index].names += candidate.names
            } else {
                result.append(candidate)
            }
        }
        return result
    }

    private static func load(
        _ candidate: NamedImage, from contents: some ImageContents, into store: borrowing ImageLayout
    ) throws -> LoadedImage {
        var top = candidate.descriptor
        top.annotations = nil
        top.platform = nil
        let walk = try LoadWalk(top, from: contents, in: store)
        let free = store.root.freeSpace
        guard free < 0 || walk.needed <= free else {
            throw BlobError.noSpace(needed: walk.needed, free: free)
        }
        for blob in walk.missing where !store.has(blob) {
            try store.copy(blob, from: contents.open(blob))
        }
        var names: [Reference] = []
        for text in candidate.names {
            // A bare word is a tag of something that only the person knows.
            guard text.contains(":") || text.contains("/"), let name = try? Reference(text),
                name.digest == nil,
                !names.contains(name)
            else { continue }
            names.append(name)
        }
        if names.isEmpty { names = [try Reference("localhost/imported").pinned(to: top.digest)] }
        return LoadedImage(names: names, top: walk.top, platforms: walk.platforms)
    }

    /// What each name is to stand for; one for two images is an error.
    private static func names(
        of images: [LoadedImage]
    ) throws(LoadError) -> [(reference: Reference, top: Descriptor)] {
        var taken: [Reference: Digest] = [:]
        var names: [(reference: Reference, top: Descriptor)] = []
        for image in images {
            for name in image.names {
                if let other = taken.updateValue(image.top.digest, forKey: name), other != image.top.digest {
                    throw .sameName(name)
                }
                names.append((name, image.top))
            }
        }
        return names
    }

    private static func requireFree(
        _ names: [(reference: Reference, top: Descriptor)], in index: ImageIndex
    ) throws(LoadError) {
        for (name, top) in names {
            let there = index.manifests.first { $0.referenceName == name.description }
            if let there, there.digest != top.digest { throw .nameTaken(name) }
        }
    }
}

/// What an image of an archive is made of.
private struct LoadWalk {
    /// With the type that the document has.
    private(set) var top: Descriptor
    private(set) var missing: [Descriptor] = []
    private(set) var platforms: [ImagePlatform] = []
    private var seen: Set<Digest> = []

    var needed: Int64 { missing.reduce(0) { $0 + $1.size } }

    /// Follows the documents, which come into the store; images that an index names and the archive lacks are left out.
    init(_ top: Descriptor, from contents: some ImageContents, in store: borrowing ImageLayout) throws {
        guard top.size <= documentLimit else { throw DocumentError.tooLarge(top.digest.description) }
        guard contents.holds(top) else { throw LoadError.missing(top, urls: nil) }
        self.top = top
        var level = [top]
        for _ in 0...ImageIndex.depthLimit {
            var next: [Descriptor] = []
            for descriptor in level where seen.insert(descriptor.digest).inserted {
                next += try look(at: descriptor, contents, store)
            }
            level = next
        }
        guard level.isEmpty else { throw DocumentError.tooDeep(top.digest.description) }
        guard !platforms.isEmpty else { throw BlobError.notALayout("it has no image") }
    }

    private mutating func look(
        at descriptor: Descriptor, _ contents: some ImageContents, _ store: borrowing ImageLayout
    ) throws -> [Descriptor] {
        let name = descriptor.digest.description
        let bytes = try contents.document(descriptor)
        let kind = try JSON.decode(DocumentKind.self, from: bytes, name: name)
        let type = try kind.requireType(announcedAs: descriptor.mediaType, name: name)
        if descriptor.digest == top.digest { top.mediaType = type }
        if type.isIndex {
            return try JSON.decode(ImageIndex.self, from: bytes, name: name).manifests.filter {
                contents.holds($0)
            }
        }
        let manifest = try JSON.decode(Manifest.self, from: bytes, name: name)
        try Manifest.checkCount(of: manifest.layers, name: name)
        for blob in [manifest.config] + manifest.layers
        where !store.has(blob) && seen.insert(blob.digest).inserted {
            // What may not be distributed is to be fetched elsewhere; nobody who opens a file expects that.
            guard (try? contents.open(blob)) != nil else { throw LoadError.missing(blob, urls: blob.urls) }
            missing.append(blob)
        }
        try takePlatform(manifest, descriptor, name, contents)
        return []
    }

    private mutating func takePlatform(
        _ manifest: Manifest, _ descriptor: Descriptor, _ name: String, _ contents: some ImageContents
    ) throws {
        // What tells of an image, as how it was built, is none.
        guard descriptor.platform?.architecture != "unknown" else { return }
        let config = try JSON.decode(
            ImageConfig.self, from: contents.document(manifest.config), name: "the config of \(name)")
        guard config.diffIDs.isEmpty || config.diffIDs.count == manifest.layers.count else {
            throw DocumentError.layerCount(name, layers: manifest.layers.count, diffIDs: config.diffIDs.count)
        }
        platforms.append(config.platform ?? descriptor.platform ?? .host)
    }
}

/// Why an archive cannot be loaded, apart from what is wrong with its content.
package enum LoadError: UserFacing, Hashable {
    case missing(Descriptor, urls: [String]?)
    case nameTaken(Reference)
    case sameName(Reference)
    case oneName(images: Int)

    package var message: String {
        switch self {
        case .missing(let blob, let urls):
            "the archive lacks \(blob.digest)"
                + (urls?.isEmpty == false ? ", which is to be fetched from elsewhere; that is not done" : "")
        case .nameTaken(let name): "\(Quoted(name.familiar)) is another image in the image store"
        case .sameName(let name): "the archive gives two images the name \(Quoted(name.familiar))"
        case .oneName(let images): "the archive has \(images) images, which cannot all get one name"
        }
    }

    package var hint: String? {
        switch self {
        case .nameTaken: "Give it another name with --name, or take the name from what has it with --replace."
        case .missing, .sameName, .oneName: nil
        }
    }
}
