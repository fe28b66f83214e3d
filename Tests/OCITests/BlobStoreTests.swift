import Archive
import Libc
import Platform
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

/// Applies layers as an installation does.
private struct PipelineSink: LayerSink {
    let root: String

    mutating func apply(_ layer: PulledLayer) throws {
        let applier = try LayerApplier(try Directory.open(HostPath(root)))
        let blob = ExpectedContent(digest: layer.descriptor.digest, size: layer.descriptor.size)
        _ = try LayerPipeline.apply(layer.content, blob: blob, to: applier)
    }
}

/// Fails without having looked at the layer.
private struct FailingSink: LayerSink {
    mutating func apply(_ layer: PulledLayer) throws { throw TreeError.rootIsNoDirectory }
}

@Suite("BlobStore") struct BlobStoreTests {
    /// An image in `store` with one layer that is really an archive.
    private func putRealImage(_ store: borrowing ImageLayout) throws -> (ResolvedImage, Descriptor) {
        let plain = try LayersPipelineTests.layer.bytes()
        let layer = try store.put(LayersPipelineTests.packed(plain), mediaType: .ociLayer)
        let config = try store.put(
            JSON.encode(ImageConfig(platform: platform, diffIDs: [Digest.of(plain)])), mediaType: .ociConfig)
        let manifest = try store.put(
            JSON.encode(Manifest(config: config, layers: [layer])), mediaType: .ociManifest)
        try store.tag(Reference("app"), as: manifest)
        let image = try makePuller().resolve(Reference("app"), for: platform, policy: .never, in: store)
        return (image, layer)
    }

    private func write(_ bytes: [UInt8], over blob: Descriptor, in store: borrowing ImageLayout) throws {
        try store.folder(.sha256, make: false).openFile(RawString(blob.digest.hex), O_WRONLY).writeAll(bytes)
    }

    @Test(
        "a layer that cannot be decoded because its copy is damaged is removed", arguments: ["zeros", "bit"])
    func damage(kind: String) throws {
        let scratch = try LayersScratch()
        let store = try ImageLayout.open(Directory.open(HostPath(scratch.path + "/outside/dir")))
        let (image, layer) = try putRealImage(store)
        var bytes = try store.read(layer)
        if kind == "bit" { bytes[20] ^= 1 } else { bytes = [UInt8](repeating: 0, count: bytes.count) }
        try write(bytes, over: layer, in: store)
        var sink = PipelineSink(root: scratch.root)
        #expect(throws: PullError.damaged(image.reference, layer.digest)) {
            try makePuller().deliver(image, in: store, into: &sink)
        }
        let isHere = store.has(layer)
        #expect(!isHere)
    }

    @Test("a layer whose copy is sound stays, whatever its use fails of")
    func soundLayer() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let (image, layer) = try putRealImage(store)
        var sink = FailingSink()
        #expect(throws: TreeError.self) { try makePuller().deliver(image, in: store, into: &sink) }
        let isHere = store.has(layer)
        #expect(isHere)
    }

    @Test("a damaged document is replaced when it is put again")
    func putAgain() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let document = try store.put(Array("document".utf8), mediaType: .ociConfig)
        try write(Array("damaged!".utf8), over: document, in: store)
        try store.put(Array("document".utf8), mediaType: .ociConfig)
        #expect(try store.read(document) == Array("document".utf8))
    }

    @Test("a damaged document in the store is replaced by that of the imported image")
    func importOverDamage() throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        try putImage(made, as: "app", sizes: [4000])
        let store = try makeStore(scratch)
        let importer = ArchiveImporter(platform: platform)
        let config = try importer.importLayout(made.root, into: store).image.manifest.value.config
        try write([UInt8](repeating: 0, count: Int(config.size)), over: config, in: store)
        _ = try importer.importLayout(made.root, into: store)
        #expect(try store.read(config).first == UInt8(ascii: "{"))
    }

    @Test("only the owner can look into the content, also of a store that was open to all")
    func privacy() throws {
        let scratch = try Scratch()
        for isOld in [false, true] {
            let root = try scratch.directory("store-\(isOld)")
            if isOld {
                for name in ["blobs", "ingest"] { try root.makeDirectory(RawString(name), mode: 0o755) }
            }
            let store = try ImageLayout.open(root)
            for name in ["blobs", "ingest"] {
                #expect(try store.root.status(RawString(name)).permissions == 0o700)
            }
        }
    }

    @Test("what is written and not finished leaves nothing, and nobody sweeps it away meanwhile")
    func unfinished() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        func files() throws -> [String] {
            try store.ingest.entries().map(\.name.text).filter { $0 != "use.lock" }
        }
        do {
            var writer = try BlobWriter(to: store)
            try [1, 2, 3].withUnsafeBytes { try writer.write($0) }
            try store.sweepParts(olderThan: 0)
            #expect(try files().count == 1)
            let wrong = Descriptor(mediaType: .ociLayer, digest: try Digest.of([]), size: 1)
            do {
                try writer.finish(expecting: wrong, in: store)
                Issue.record("other content was taken")
            } catch is BlobError {}
        }
        do {
            var writer = try BlobWriter(to: store)
            try [1, 2, 3].withUnsafeBytes { try writer.write($0) }
        }
        #expect(try files().isEmpty)
    }

    @Test("parts of killed processes are swept: nameless ones at once, the others when they are old")
    func sweeping() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        for name in ["new-1-2", "sha256_a.part", "sha256_b.part"] {
            _ = try store.ingest.openFile(RawString(name), O_RDWR | O_CREAT, mode: 0o600)
        }
        let day = timespec(tv_sec: time(nil) - 86400, tv_nsec: 0)
        try syscall("utimensat") { utimensat(store.ingest.raw, "sha256_a.part", [day, day], 0) }
        #expect(try store.sweepParts(olderThan: 3600).files == 2)
        #expect(try store.ingest.entries().map(\.name.text) == ["sha256_b.part"])
    }
}
