import Archive
import Platform

/// An image in a file, and what the file calls it.
struct NamedImage {
    let descriptor: Descriptor
    var names: [String]
}

/// What was found in the archive of an image, in one pass from front to back.
///
/// Large content that says by its name what it is stays where it lies, if the archive can be read in any order: only
/// the layers that are needed are copied later, while others are being unpacked. Everything else goes into the store
/// as it comes by.
struct ArchiveContents {
    /// Members that an archive of an image may have.
    private static let memberLimit = 16384

    private var documents: [GuestPath: [UInt8]] = [:]
    /// Members that are no blobs by their name, kept as blobs until it is known what they are.
    private var files: [GuestPath: Descriptor] = [:]
    private var links: [GuestPath: GuestPath] = [:]
    /// Where content lies that has not been copied.
    private var places: [Digest: Int64] = [:]
    private let source: any ByteSource
    private let hasSections: Bool

    private static let marker: GuestPath = "oci-layout"
    private static let indexPath: GuestPath = "index.json"
    private static let listPath: GuestPath = "manifest.json"

    /// `source` is the archive, uncompressed.
    init(_ source: any ByteSource) throws {
        self.source = source
        hasSections = try source.section(at: 0, size: 0) != nil
    }

    /// Reads all members.
    mutating func read(into store: borrowing ImageLayout) throws {
        let reader = TarReader(BufferedChunks(source))
        var count = 0
        while let entry = try reader.next() {
            count += 1
            guard count <= Self.memberLimit else { throw BlobError.notALayout("it has too many members") }
            let path = GuestPath(entry.path)
            switch entry.kind {
            case .symbolicLink, .hardLink:
                let base = entry.kind == .hardLink ? GuestPath.root : path.parent
                links[path] = Self.resolve(GuestPath(entry.linkTarget), from: base)
            case .regular: try take(entry, path, reader, store)
            default: continue
            }
        }
        try reader.drain()
    }

    private mutating func take(
        _ entry: TarEntry, _ path: GuestPath, _ reader: TarReader, _ store: borrowing ImageLayout
    ) throws {
        if [Self.marker, Self.indexPath, Self.listPath].contains(path) {
            documents[path] = try reader.readData(limit: documentLimit)
            return
        }
        let parts = path.components.map(\.text)
        let digest = parts.count == 3 && parts[0] == "blobs" ? try? Digest("\(parts[1]):\(parts[2])") : nil
        guard let digest else {
            files[path] = try write(entry, reader, store, .sha256, expecting: nil)
            return
        }
        let descriptor = Descriptor(mediaType: .ociLayer, digest: digest, size: entry.size)
        files[path] = descriptor
        if store.hasVerified(descriptor) { return }
        if hasSections, entry.size > documentLimit, entry.stored == nil {
            if places[digest] == nil { places[digest] = reader.offset }
            return
        }
        _ = try write(entry, reader, store, digest.algorithm, expecting: descriptor)
    }

    private mutating func write(
        _ entry: TarEntry, _ reader: TarReader, _ store: borrowing ImageLayout, _ algorithm: Digest.Algorithm,
        expecting descriptor: Descriptor?
    ) throws -> Descriptor {
        var writer = try BlobWriter(to: store, algorithm)
        while let stretch = try reader.nextStretch() { try writer.write(stretch.bytes) }
        if let descriptor {
            try writer.finish(expecting: descriptor, in: store)
            return descriptor
        }
        return try writer.finish(mediaType: .ociLayer, in: store)
    }

    /// The content that `descriptor` names, where it lies in the archive.
    func open(_ descriptor: Descriptor) throws -> any ByteSource {
        guard let place = places[descriptor.digest],
            let section = try source.section(at: place, size: descriptor.size)
        else { throw BlobError.missing(descriptor.digest) }
        return section
    }

    /// The index of an OCI layout; `nil` when this is none.
    func index() throws -> ImageIndex? {
        guard let marker = documents[Self.marker] else { return nil }
        try ImageLayout.checkVersion(marker)
        guard let bytes = documents[Self.indexPath] else {
            throw BlobError.notALayout("there is no index.json")
        }
        return try JSON.decode(ImageIndex.self, from: bytes, name: "index.json")
    }

    /// The images of an archive of `docker save`, each with a manifest that is made here.
    mutating func dockerImages(in store: borrowing ImageLayout) throws -> [NamedImage] {
        struct Item: Decodable {
            var Config: String
            var RepoTags: [String]?
            var Layers: [String]?
        }
        guard let bytes = documents[Self.listPath] else {
            throw BlobError.notALayout("there is neither oci-layout nor manifest.json")
        }
        var result: [NamedImage] = []
        for item in try JSON.decode([Item].self, from: bytes, name: "manifest.json") {
            var config = try member(item.Config)
            config.mediaType = .ociConfig
            let layers = item.Layers ?? []
            try Manifest.checkCount(of: layers, name: "manifest.json")
            let manifest = Manifest(config: config, layers: try layers.map(member))
            let descriptor = try store.put(JSON.encode(manifest), mediaType: .ociManifest)
            result.append(NamedImage(descriptor: descriptor, names: item.RepoTags ?? []))
        }
        return result
    }

    private func member(_ name: String) throws -> Descriptor {
        var path = GuestPath(name)
        for _ in 0..<8 {
            if let file = files[path] { return file }
            guard let target = links[path] else { break }
            path = target
        }
        throw DocumentError.malformed("manifest.json", problem: "there is no member \(Quoted(name))")
    }

    /// What a link means, by its text: in an archive nothing else is known.
    private static func resolve(_ target: GuestPath, from base: GuestPath) -> GuestPath {
        var parts = base.components
        for part in target.components {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return GuestPath(components: parts)
    }
}
