import Archive
import Libc
import Platform
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

@Suite("ArchiveContents") struct ArchiveContentsTests {
    private static let extra = "the file that no image needs"

    /// An archive as `docker save` makes it, with a file that is no part of the image.
    private func archive(layers: String = #"["layer.tar"]"#) throws -> MemorySource {
        let config = try JSON.encode(ImageConfig(platform: platform))
        let list = #"[{"Config": "config.json", "Layers": \#(layers)}]"#
        return MemorySource(
            try Layer(
                .file("repositories", Self.extra), .file("layer.tar", "a layer"),
                .file("config.json", String(decoding: config, as: UTF8.self)), .file("manifest.json", list)
            ).bytes())
    }

    /// Whether `body` finds what it looks for in one of several new stores.
    ///
    /// Between fork and exec, the programs that other tests start share this process's locks, and what is in use
    /// is not taken out.
    private func eventually(_ body: (borrowing ImageLayout) throws -> Bool) throws -> Bool {
        let scratch = try Scratch()
        for number in 0..<20 where try body(makeStore(scratch, "store-\(number)")) { return true }
        return false
    }

    @Test("what came with an archive and belongs to no image is taken out again; what was there before stays")
    func extras() throws {
        let importer = ArchiveImporter(platform: platform)
        let extra = try Digest.of(Array(Self.extra.utf8))
        let isTaken = try eventually { store in
            let image = try importer.importArchive(archive(), into: store).image
            for layer in image.manifest.value.layers {
                let isHere = store.has(layer)
                #expect(isHere)
            }
            return try !store.digests().contains(extra)
        }
        #expect(isTaken)
        let isTakenAlthoughOld = try eventually { store in
            try store.put(Array(Self.extra.utf8), mediaType: .ociLayer)
            _ = try importer.importArchive(archive(), into: store)
            return try !store.digests().contains(extra)
        }
        #expect(!isTakenAlthoughOld)
    }

    /// An archive of a layout whose layer is too large to be a document, as a file that can be read in any order.
    private func large(_ scratch: borrowing Scratch, damaged: Bool = false) throws -> (HostPath, Descriptor) {
        let made = try makeStore(scratch, "made")
        let manifest = try putImage(made, as: "app", sizes: [documentLimit + 4000, 5000])
        let layers = try Document<Manifest>(made.read(manifest), for: manifest, name: "").value.layers
        if damaged {
            try made.folder(.sha256, make: false).openFile(RawString(layers[0].digest.hex), O_WRONLY)
                .writeAll([1])
        }
        let archive = HostPath("\(scratch.path)/app.tar")
        let result = try run(["tar", "-C", "\(scratch.path)/made", "-cf", archive.rawValue, "."])
        try #require(result.status == 0, "\(result.output)")
        return (archive, layers[0])
    }

    private struct Unpacked: LayerSink {
        var layers: [Digest] = []
        mutating func apply(_ layer: PulledLayer) throws {
            layers.append(try Digest.of(layer.content.readAll(limit: 1 << 26)))
        }
    }

    @Test("a large layer is handed on from where it lies, and is in the store at the end")
    func sections() throws {
        let scratch = try Scratch()
        let (archive, layer) = try large(scratch)
        let store = try makeStore(scratch)
        var unpacked = Unpacked()
        let file = FileSource(try FileDescriptor.open(archive, O_RDONLY))
        let image = try ArchiveImporter(platform: platform).importArchive(
            file, into: store, handing: &unpacked
        ).image
        #expect(unpacked.layers == image.manifest.value.layers.map(\.digest))
        #expect(unpacked.layers.first == layer.digest)
        let copy = try store.open(layer).readAll(limit: 1 << 26)
        #expect(try Digest.of(copy) == layer.digest)
    }

    @Test(
        "a large layer that is not what its name says, or is cut, never gets into the store",
        arguments: [true, false])
    func badSection(isDamaged: Bool) throws {
        let scratch = try Scratch()
        let (archive, layer) = try large(scratch, damaged: isDamaged)
        if !isDamaged { try FileDescriptor.open(archive, O_WRONLY).truncate(to: 9 << 20) }
        let store = try makeStore(scratch)
        let file = FileSource(try FileDescriptor.open(archive, O_RDONLY))
        #expect(throws: (any Error).self) {
            try ArchiveImporter(platform: platform).importArchive(file, into: store)
        }
        let isHere = store.has(layer)
        #expect(!isHere)
        #expect(try store.index().manifests.isEmpty)
    }

    @Test("an image whose type an archive does not tell is loaded with all that it has")
    func untyped() throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        var image = try putImage(made, as: "", sizes: [100, 200])
        image.mediaType = MediaType(rawValue: "application/json")
        try made.tag(Reference("app"), as: image)
        let tar = "\(scratch.path)/app.tar"
        try #require(run(["tar", "-C", "\(scratch.path)/made", "-cf", tar, "."]).status == 0)
        let store = try makeStore(scratch)
        let loaded = try ArchiveImporter.loadAll(
            FileSource(FileDescriptor.open(HostPath(tar), O_RDONLY)), into: store)
        #expect(loaded.map(\.top.mediaType) == [.ociManifest])
        // Another test's fork may keep the archive's other content a moment longer.
        _ = try store.collect()
        #expect(try store.digests().count == 4)
    }

    @Test("names of an archive are given all or none, also when one is taken while it is read")
    func names() throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        for (number, name) in ["one", "two"].enumerated() {
            try putImage(made, as: name, sizes: [100], seed: UInt64(number + 1))
        }
        let tar = "\(scratch.path)/app.tar"
        try #require(run(["tar", "-C", "\(scratch.path)/made", "-cf", tar, "."]).status == 0)
        let store = try makeStore(scratch)
        let other = try putImage(store, as: "two", sizes: [100], seed: 3)
        #expect(throws: LoadError.nameTaken(try Reference("two"))) {
            try ArchiveImporter.loadAll(
                FileSource(FileDescriptor.open(HostPath(tar), O_RDONLY)), into: store)
        }
        #expect(try store.index().manifests.map(\.digest) == [other.digest])
    }

    @Test("an import that fails leaves nothing in the store")
    func failure() throws {
        let importer = ArchiveImporter(platform: platform)
        let isEmpty = try eventually { store in
            #expect(throws: DocumentError.self) {
                try importer.importArchive(archive(layers: #"["missing.tar"]"#), into: store)
            }
            return try store.digests().isEmpty
        }
        #expect(isEmpty)
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        let manifest = try putImage(made, as: "app", sizes: [4000, 5000])
        let layers = try Document<Manifest>(made.read(manifest), for: manifest, name: "").value.layers
        made.evict(layers[1].digest)
        let isEmptyToo = try eventually { store in
            #expect(throws: BlobError.self) { try importer.importLayout(made.root, into: store) }
            return try store.digests().isEmpty
        }
        #expect(isEmptyToo)
    }

    @Test(
        "what a killed import brought is taken out by whoever comes next, but nothing that was there before")
    func killed() throws {
        let isTaken = try eventually { store in
            let old = try store.put(Array("old".utf8), mediaType: .ociLayer)
            // Its lock goes with its process, and it is left behind.
            do { _ = try ImportNote.make(store.digests(), in: store) }
            let brought = try store.put(Array(Self.extra.utf8), mediaType: .ociLayer)
            let named = try putImage(store, as: "app", sizes: [10])
            try store.sweepImports()
            let (oldStays, namedStays) = (store.has(old), store.has(named))
            #expect(oldStays && namedStays)
            let notes = try store.ingest.entries().filter { ImportNote.isNote($0.name) }
            return !store.has(brought) && notes.isEmpty
        }
        #expect(isTaken)
    }

    @Test("what a living import brought stays, and so does all while the store is in use")
    func living() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let note = try ImportNote.make(store.digests(), in: store)
        let brought = try store.put(Array(Self.extra.utf8), mediaType: .ociLayer)
        try store.sweepImports()
        let staysWhileLiving = store.has(brought)
        _ = consume note
        let use = try store.beginUse()
        try store.sweepImports()
        let staysInUse = store.has(brought)
        use.release()
        #expect(staysWhileLiving && staysInUse)
        #expect(try store.ingest.entries().contains { ImportNote.isNote($0.name) })
    }

    @Test("a note that was cut off tells nothing")
    func cutNote() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let kept = try store.put(Array("kept".utf8), mediaType: .ociLayer)
        try store.ingest.openFile("import-1-2", O_WRONLY | O_CREAT, mode: 0o600).writeAll("sha256:")
        try store.sweepImports()
        let isKept = store.has(kept)
        #expect(isKept)
    }

    @Test("an image of an absurd number of layers is refused")
    func layers() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let many = "[" + Array(repeating: #""layer.tar""#, count: 1001).joined(separator: ",") + "]"
        #expect(throws: DocumentError.tooManyLayers("manifest.json", layers: 1001)) {
            try ArchiveImporter(platform: platform).importArchive(archive(layers: many), into: store)
        }
        let layer = try store.put([1], mediaType: .ociLayer)
        let config = try store.put(JSON.encode(ImageConfig(platform: platform)), mediaType: .ociConfig)
        for count in [1000, 1001] {
            let manifest = Manifest(config: config, layers: Array(repeating: layer, count: count))
            let top = try store.put(JSON.encode(manifest), mediaType: .ociManifest)
            var resolver = ImageResolver(
                source: StoredDocuments(store: try store.duplicate()), reference: try Reference("app"),
                platform: platform)
            let bytes = try store.read(top)
            let image = Result { try resolver.resolve(top, bytes, isFromStore: true) }
            #expect((try? image.get()) == nil || count == 1000)
            guard case .failure(let error) = image else { continue }
            #expect((error as? DocumentError)?.message.contains("1001 layers") == true)
        }
    }
}
