import Archive
import Libc
import Platform

/// An image that came out of an archive or a layout, and is in the store now.
package struct ImportedImage: Sendable {
    /// Its reference is `localhost/imported@DIGEST`: what a stranger's file says of its name must not become the
    /// name under which an image of a registry is looked up later.
    package let image: ResolvedImage
    /// The name that the file gives to it.
    package let claimedName: String?
}

/// Takes images out of files: OCI layouts, as a directory or an archive, and archives of `docker save`.
///
/// Every blob is verified on its way into the store.
package struct ArchiveImporter {
    private let platform: ImagePlatform

    package init(platform: ImagePlatform) { self.platform = platform }

    /// Takes an image from an OCI layout that is a directory of this host; of several the first that suits.
    ///
    /// Its layers are handed to `sink` in their order, each as soon as it is in the store.
    package func importLayout(
        _ directory: borrowing Directory, into store: borrowing ImageLayout,
        observer: (any PullObserver)? = nil, handing sink: inout some LayerSink
    ) throws -> ImportedImage {
        let index = try Self.index(of: directory)
        let source = LayoutDocuments(
            blobs: try directory.openDirectory("blobs"), store: try store.duplicate())
        return try store.bringing {
            let found = try firstSuitable(Self.named(index), source)
            try transfer(found, into: store, observer, handing: &sink) { try source.open($0) }
            return try keep(found, store)
        }
    }

    /// Takes an image from an archive, compressed or not; of several the first that suits.
    ///
    /// Its layers are handed to `sink` in their order, each as soon as it is in the store.
    package func importArchive(
        _ file: any ByteSource, into store: borrowing ImageLayout,
        observer: (any PullObserver)? = nil, handing sink: inout some LayerSink
    ) throws -> ImportedImage {
        var contents = try ArchiveContents(Compression.open(file))
        return try store.bringing {
            try contents.read(into: store)
            let candidates = try contents.index().map(Self.named) ?? contents.dockerImages(in: store)
            let source = try ArchiveDocuments(contents, store: store.duplicate())
            let found = try firstSuitable(candidates, source)
            try transfer(found, into: store, observer, handing: &sink) { try source.open($0) }
            return try keep(found, store)
        }
    }

    /// Takes an image from a layout without unpacking it.
    package func importLayout(_ directory: borrowing Directory, into store: borrowing ImageLayout) throws
        -> ImportedImage
    {
        var sink = NoSink()
        return try importLayout(directory, into: store, handing: &sink)
    }

    /// Takes an image from an archive without unpacking it.
    package func importArchive(_ file: any ByteSource, into store: borrowing ImageLayout) throws
        -> ImportedImage
    {
        var sink = NoSink()
        return try importArchive(file, into: store, handing: &sink)
    }

    private func transfer(
        _ found: Found, into store: borrowing ImageLayout, _ observer: (any PullObserver)?,
        handing sink: inout some LayerSink, open: @escaping (Descriptor) throws -> any ByteSource
    ) throws {
        try LayerTransfer.run(found.image.stack, in: store, observer) { missing, board in
            try LocalSupply(missing, into: store, board: board, open: open)
        } handOn: { layer in
            try sink.apply(layer)
        }
    }

    private struct Found {
        let image: ResolvedImage
        let claimedName: String?
    }

    /// What an OCI layout has.
    static func index(of directory: borrowing Directory) throws -> ImageIndex {
        guard try directory.statusIfPresent("oci-layout") != nil else {
            throw BlobError.notALayout("there is no file oci-layout")
        }
        try ImageLayout.checkVersion(directory.readFile("oci-layout", limit: 4096))
        return try JSON.decode(
            ImageIndex.self, from: directory.readFile("index.json", limit: documentLimit), name: "index.json")
    }

    static func named(_ index: ImageIndex) -> [NamedImage] {
        index.manifests.map { NamedImage(descriptor: $0, names: $0.claimedNames) }
    }

    private func firstSuitable(_ candidates: [NamedImage], _ source: some ImageContents) throws -> Found {
        var failure: (any Error)?
        for named in candidates {
            let candidate = named.descriptor
            do {
                let reference = try Reference("localhost/imported").pinned(to: candidate.digest)
                var resolver = ImageResolver(source: source, reference: reference, platform: platform)
                var top = candidate
                top.annotations = nil
                let image = try resolver.resolve(top, source.document(candidate), isFromStore: true)
                return Found(image: image, claimedName: named.names.first)
            } catch {
                if failure == nil { failure = error }
            }
        }
        throw failure ?? ImagePlatformError.notOffered(platform, image: "the archive", offers: [])
    }

    private func keep(_ found: Found, _ store: borrowing ImageLayout) throws -> ImportedImage {
        try store.tag(found.image.reference, as: found.image.top)
        return ImportedImage(image: found.image, claimedName: found.claimedName)
    }
}

/// What a file or a directory of this host has; each document comes into the store when it is read.
protocol ImageContents: AnyObject, DocumentSource {
    func document(_ descriptor: Descriptor) throws -> [UInt8]
    /// Whether it is there, or in the store already.
    func holds(_ descriptor: Descriptor) -> Bool
    /// Content that the store lacks, where it lies.
    func open(_ descriptor: Descriptor) throws -> any ByteSource
}

/// The content of an archive that has been read: what is not large is in the store already.
final class ArchiveDocuments: ImageContents {
    private let contents: ArchiveContents
    private let store: ImageLayout

    init(_ contents: ArchiveContents, store: consuming ImageLayout) {
        self.contents = contents
        self.store = store
    }

    func document(_ descriptor: Descriptor) throws -> [UInt8] { try store.read(descriptor) }
    func holds(_ descriptor: Descriptor) -> Bool { store.has(descriptor) }
    func open(_ descriptor: Descriptor) throws -> any ByteSource { try contents.open(descriptor) }
}

/// The content of a layout that another program wrote.
final class LayoutDocuments: ImageContents {
    private let blobs: Directory
    private let store: ImageLayout

    init(blobs: consuming Directory, store: consuming ImageLayout) {
        self.blobs = blobs
        self.store = store
    }

    func document(_ descriptor: Descriptor) throws -> [UInt8] {
        guard descriptor.size <= documentLimit else {
            throw DocumentError.tooLarge(descriptor.digest.description)
        }
        if !store.hasVerified(descriptor) { try store.copy(descriptor, from: open(descriptor)) }
        return try store.read(descriptor)
    }

    func holds(_ descriptor: Descriptor) -> Bool {
        store.has(descriptor) || (try? open(descriptor)) != nil
    }

    func open(_ descriptor: Descriptor) throws -> any ByteSource {
        let file = try openFile(descriptor.digest)
        let status = try file.status()
        guard status.kind == .regular, status.size == descriptor.size else {
            throw BlobError.wrongSize(descriptor.digest, expected: descriptor.size, actual: status.size)
        }
        return FileSource(file)
    }

    private func openFile(_ digest: Digest) throws -> FileDescriptor {
        do {
            return try blobs.openDirectory(RawString(digest.algorithm.rawValue))
                .openFile(RawString(digest.hex), O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch  where error.code == ENOENT {
            throw BlobError.missing(digest)
        }
    }
}
