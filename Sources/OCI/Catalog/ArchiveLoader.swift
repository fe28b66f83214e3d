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
        return try bringing(into: store) {
            try contents.read(into: store)
            let candidates =
                if let index = try contents.index() {
                    index.manifests.map { NamedImage(descriptor: $0, names: $0.claimedNames) }
                } else {
                    try contents.dockerImages(in: store)
                }
            var loaded: [LoadedImage] = []
            for candidate in Self.merged(candidates) {
                loaded.append(try load(candidate, from: contents, into: store))
            }
            guard !loaded.isEmpty else { throw BlobError.notALayout("it has no image") }
            if let name {
                guard loaded.count == 1 else { throw LoadError.oneName(images: loaded.count) }
                loaded[0] = LoadedImage(names: [name], top: loaded[0].top, platforms: loaded[0].platforms)
            }
            try requireFree(loaded, in: store, replaces: replaces)
            for image in loaded { for name in image.names { try store.tag(name, as: image.top) } }
            return loaded
        }
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
        _ candidate: NamedImage, from contents: ArchiveContents, into store: borrowing ImageLayout
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
        return LoadedImage(names: names, top: top, platforms: walk.platforms)
    }

    private static func requireFree(
        _ images: [LoadedImage], in store: borrowing ImageLayout, replaces: Bool
    ) throws {
        var taken: [Reference: Digest] = [:]
        for image in images {
            for name in image.names {
                if let other = taken.updateValue(image.top.digest, forKey: name), other != image.top.digest {
                    throw LoadError.sameName(name)
                }
                guard !replaces, let there = try store.find(name), there.digest != image.top.digest else {
                    continue
                }
                throw LoadError.nameTaken(name)
            }
        }
    }
}

/// What an image of an archive is made of.
private struct LoadWalk {
    private(set) var missing: [Descriptor] = []
    private(set) var platforms: [ImagePlatform] = []
    private var seen: Set<Digest> = []

    var needed: Int64 { missing.reduce(0) { $0 + $1.size } }

    /// Follows the documents, which are in the store; images that an index names and the archive lacks are left out.
    init(_ top: Descriptor, from contents: ArchiveContents, in store: borrowing ImageLayout) throws {
        guard top.size <= documentLimit else { throw DocumentError.tooLarge(top.digest.description) }
        guard store.has(top) else { throw LoadError.missing(top, urls: nil) }
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
        at descriptor: Descriptor, _ contents: ArchiveContents, _ store: borrowing ImageLayout
    ) throws -> [Descriptor] {
        let name = descriptor.digest.description
        let bytes = try store.read(descriptor)
        let kind = try JSON.decode(DocumentKind.self, from: bytes, name: name)
        if kind.isIndex, !kind.isManifest {
            return try JSON.decode(ImageIndex.self, from: bytes, name: name).manifests.filter {
                store.has($0)
            }
        }
        guard kind.isManifest else {
            throw DocumentError.wrongKind(name, mediaType: (kind.mediaType ?? descriptor.mediaType).rawValue)
        }
        let manifest = try JSON.decode(Manifest.self, from: bytes, name: name)
        try Manifest.checkCount(of: manifest.layers, name: name)
        for blob in [manifest.config] + manifest.layers
        where !store.has(blob) && seen.insert(blob.digest).inserted {
            // What may not be distributed is to be fetched elsewhere; nobody who opens a file expects that.
            guard (try? contents.open(blob)) != nil else { throw LoadError.missing(blob, urls: blob.urls) }
            missing.append(blob)
        }
        try takePlatform(manifest, descriptor, name, store)
        return []
    }

    private mutating func takePlatform(
        _ manifest: Manifest, _ descriptor: Descriptor, _ name: String, _ store: borrowing ImageLayout
    ) throws {
        // What tells of an image, as how it was built, is none.
        guard descriptor.platform?.architecture != "unknown" else { return }
        let config = try JSON.decode(
            ImageConfig.self, from: store.read(manifest.config), name: "the config of \(name)")
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
