import Archive
import Libc
import Platform
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

@Suite("ImageLayout") struct ImageLayoutTests {
    @Test("a name leads to what it was last given to, and survives opening the store again")
    func names() throws {
        let scratch = try Scratch()
        let reference = try Reference("app")
        var last: Descriptor?
        for seed in 1...3 {
            let store = try makeStore(scratch)
            last = try putImage(store, as: "app", sizes: [10], seed: UInt64(seed))
            #expect(try store.index().manifests.count == 1)
        }
        let store = try makeStore(scratch)
        #expect(try store.find(reference)?.digest == last?.digest)
        try store.untag("app")
        #expect(try store.find(reference) == nil)
    }

    @Test("garbage is what no name leads to, and only when nobody uses the store")
    func garbage() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putImage(store, as: "kept", sizes: [1000, 2000])
        try putImage(store, as: "", sizes: [3000], seed: 2)
        let use = try store.beginUse()
        let early = try? store.claim().collectGarbage()
        #expect(early == nil)
        _ = consume use
        let collected3 = try store.collect()
        #expect(collected3 == 3)
        let collected0 = try store.collect()
        #expect(collected0 == 0)
        let known = try #require(try store.find(Reference("kept")))
        let manifest = try Document<Manifest>(store.read(known), for: known, name: "kept").value
        for layer in manifest.layers {
            let isHere = store.has(layer)
            #expect(isHere)
        }
    }

    @Test("content that is not what its name says is never read to its end")
    func verification() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let blob = try store.put(noise(100, seed: 1), mediaType: .ociLayer)
        var other = blob
        other.digest = try Digest.of([1])
        try store.put(noise(100, seed: 2), as: other.digest)
        let forged = try? store.read(other)
        #expect(forged == nil)
        other.size = 99
        let short = try? store.read(other)
        #expect(short == nil)
        let missing = try? store.read(Descriptor(mediaType: .ociLayer, digest: Digest.of([2]), size: 1))
        #expect(missing == nil)
        #expect(try store.read(blob) == noise(100, seed: 1))
    }

    @Test("a part belongs to one at a time, and a new part is not a finished blob")
    func parts() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let bytes = noise(5000, seed: 3)
        let digest = try Digest.of(bytes)
        guard let part = try PartFile.take(digest, in: store) else {
            Issue.record("the part is free")
            return
        }
        var isFree = try PartFile.take(digest, in: store) != nil
        #expect(!isFree)
        try part.file.writeAll(bytes)
        try part.commit(as: digest, to: store)
        let isHere = store.has(Descriptor(mediaType: .ociLayer, digest: digest, size: 5000))
        #expect(isHere)
        isFree = try PartFile.take(digest, in: store)?.size() == 0
        #expect(isFree)
    }
}

@Suite("ArchiveImporter") struct ArchiveImporterTests {
    @Test("a layout directory is imported, and a forged blob in it is not")
    func directory() throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        let manifest = try putImage(made, as: "app", sizes: [4000, 5000])
        let store = try makeStore(scratch)
        let imported = try ArchiveImporter(platform: platform).importLayout(made.root, into: store)
        #expect(imported.image.descriptor.digest == manifest.digest)
        #expect(imported.claimedName == "docker.io/library/app:latest")
        #expect(try store.find(Reference("app")) == nil)
        var sink = ReadingSink()
        try makePuller().deliver(imported.image, in: store, into: &sink)
        #expect(sink.seen == [0, 1])
        let layer = imported.image.manifest.value.layers[0]
        try made.folder(.sha256, make: false).openFile(RawString(layer.digest.hex), O_WRONLY).writeAll(
            "forged")
        #expect(throws: BlobError.self) {
            let fresh = try makeStore(scratch, "made")
            _ = try ArchiveImporter(platform: platform).importLayout(
                fresh.root, into: makeStore(scratch, "other"))
        }
    }

    @Test(
        "archives of skopeo and tar are imported, whatever they are called inside and however compressed",
        .enabled(if: isInstalled("skopeo"), "needs skopeo"),
        arguments: ["oci-archive", "docker-archive", "dotted", "gzip", "nested"])
    func archives(kind: String) throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        var manifest = try putImage(made, as: "app", sizes: [4096, 8192])
        if kind == "nested" {
            let other = try putImage(made, as: "", sizes: [4096], platform: "arm64", seed: 2)
            let index = try made.put(
                JSON.encode(ImageIndex(manifests: [other, manifest])), mediaType: .ociIndex)
            try made.tag(Reference("app"), as: index)
        }
        let source = "oci:\(scratch.path)/made:docker.io/library/app:latest"
        let tar = "\(scratch.path)/app.tar"
        let command =
            switch kind {
            case "dotted": ["tar", "-C", "\(scratch.path)/made", "-cf", tar, "."]
            case "gzip":
                ["tar", "-C", "\(scratch.path)/made", "-czf", tar, "index.json", "oci-layout", "blobs"]
            case "nested": ["skopeo", "--insecure-policy", "copy", "--all", source, "oci-archive:\(tar):app"]
            case "docker-archive":
                ["skopeo", "--insecure-policy", "copy", source, "docker-archive:\(tar):app:1"]
            default: ["skopeo", "--insecure-policy", "copy", source, "oci-archive:\(tar):app"]
            }
        let result = try run(command)
        try #require(result.status == 0, "\(result.output)")
        let store = try makeStore(scratch)
        let imported = try ArchiveImporter(platform: platform)
            .importArchive(FileSource(FileDescriptor.open(HostPath(tar), O_RDONLY)), into: store)
        #expect(imported.image.manifest.value.layers.count == 2)
        #expect(imported.image.platform == platform)
        manifest.platform = nil
        var sink = ReadingSink()
        try makePuller().deliver(imported.image, in: store, into: &sink)
        #expect(sink.bytes >= 12288)
        let collected1 = try store.collect()
        #expect(collected1 <= 1)
    }
}

@Suite("URLDownloader", .enabled(if: Front.isPossible, "needs python3")) struct URLDownloaderTests {
    private let downloader: URLDownloader = {
        let puller = makePuller()
        return URLDownloader(http: puller.http, retry: puller.retry, transfer: puller.transfer)
    }()

    @Test(
        "a file arrives whole, also over a broken line; one that changed on the way starts anew",
        arguments: [
            ("plain", 0), ("moved", 0), ("dropping", 0), ("changing", 250), ("pieces", 0), ("wrongpart", 0),
        ])
    func downloads(name: String, first: Int) throws {
        let front = try Front()
        let folder = try front.scratch.directory("downloads")
        let url = "http://127.0.0.1:\(front.ports[0])/file/\(name)"
        let bytes = try downloader.withFile(from: url, in: folder) { try $0.readAll(limit: 2_000_000) }
        let whole = (0..<1_000_000).map { UInt8($0 % 1000 * 7 % 251) }
        #expect(bytes == (name == "changing" ? whole.reversed() : whole))
        if name == "dropping" {
            #expect(try front.requests().compactMap(\.range) == ["bytes=400000-"])
            #expect(try front.requests().compactMap(\.if_range) == ["\"one\""])
        }
        #expect(try folder.entries().isEmpty)
    }

    @Test("a password in a URL that is refused is not printed")
    func password() {
        for text in ["https://user:p@ss@host/x@y", "ftp://user:p@ss@host", "user:p@ss@host"] {
            let error = URLError.malformed(text)
            #expect(!error.message.contains("p@ss") && error.message.contains("@host"))
            #expect(error.hint != nil)
        }
        #expect(URLError.malformed("ftp://a/b@c").message.contains("ftp://a/b@c"))
    }

    @Test(
        "nobody is promised to go on where that cannot be",
        arguments: [("breaking", true), ("untagged", false)])
    func promise(name: String, goesOn: Bool) throws {
        let front = try Front()
        let folder = try front.scratch.directory("downloads")
        let puller = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0"])
        let hasty = URLDownloader(http: puller.http, retry: puller.retry, transfer: puller.transfer)
        let url = "http://127.0.0.1:\(front.ports[0])/file/\(name)"
        do {
            try hasty.withFile(from: url, in: folder) { _ in }
            Issue.record("a broken line is no failure")
        } catch let error as any UserFacing {
            #expect(error.message.contains("broke"))
            #expect(error.hint?.contains("goes on where it ended") == goesOn)
            #expect(error.hint?.contains("begins anew") == !goesOn)
        }
        #expect(try folder.entries().isEmpty == !goesOn)
    }

    @Test("what is not there is said so")
    func missing() throws {
        let front = try Front()
        let url = "http://127.0.0.1:\(front.ports[0])/file/gone"
        #expect(throws: URLError.refused(url, status: 404)) {
            try downloader.withFile(from: url, in: front.scratch.directory("downloads")) { _ in }
        }
        #expect(throws: URLError.malformed("ftp://a")) {
            try downloader.withFile(from: "ftp://a", in: front.scratch.directory("downloads")) { _ in }
        }
    }
}
