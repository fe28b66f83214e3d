import Libc
import Platform
import Testing

@testable import OCI

/// An image for several platforms; those in `present` with their content, the others only in the index.
@discardableResult
func putIndex(
    _ store: borrowing ImageLayout, as name: String, platforms: [String], present: Set<String>? = nil
) throws -> Descriptor {
    var entries: [Descriptor] = []
    for (number, platform) in platforms.enumerated() {
        if present?.contains(platform) ?? true {
            entries.append(
                try putImage(
                    store, as: "", sizes: [3000 + number], platform: platform, seed: UInt64(number + 7)))
        } else {
            entries.append(
                Descriptor(
                    mediaType: .ociManifest, digest: try Digest.of(Array(platform.utf8)), size: 10,
                    platform: try ImagePlatform(platform)))
        }
    }
    let index = try store.put(JSON.encode(ImageIndex(manifests: entries)), mediaType: .ociIndex)
    if !name.isEmpty { try store.tag(Reference(name), as: index) }
    return index
}

@Suite("The catalog of images")
struct ImageCatalogTests {
    private let amd64 = ImagePlatform(architecture: "amd64")
    private let arm64 = ImagePlatform(architecture: "arm64")

    @Test("has each platform that is here, and tells what lacks a layer or is damaged")
    func reading() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putIndex(
            store, as: "multi", platforms: ["linux/amd64", "linux/arm64", "linux/s390x"],
            present: ["linux/amd64", "linux/arm64"])
        try putImage(store, as: "single:1", sizes: [100, 200])
        let lacking = try putImage(store, as: "lacking", sizes: [400], seed: 9)
        let layers = try JSON.decode(Manifest.self, from: store.read(lacking), name: "").layers
        store.evict(layers[0].digest)
        store.evict(try putImage(store, as: "broken", sizes: [500], seed: 10).digest)
        let catalog = try ImageCatalog(store)
        #expect(
            catalog.images.map { "\($0.familiarName) \($0.platform?.description ?? "") \($0.missing.count)" }
                == [
                    "lacking:latest linux/amd64 1", "multi:latest linux/amd64 0",
                    "multi:latest linux/arm64 0",
                    "single:1 linux/amd64 0",
                ])
        #expect(catalog.damaged == ["docker.io/library/broken:latest"])
    }

    @Test("finds images by name, by ID and by digest, for the platform that is wanted")
    func choice() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putIndex(store, as: "multi", platforms: ["linux/amd64", "linux/arm64"])
        try putImage(store, as: "single:1", sizes: [100])
        let catalog = try ImageCatalog(store)
        #expect(try catalog.choose("multi", platform: nil, host: arm64).platform == arm64)
        #expect(try catalog.choose("multi", platform: amd64, host: arm64).platform == amd64)
        #expect(try catalog.choose("single:1", platform: nil, host: arm64).platform == amd64)
        let single = try catalog.choose("docker.io/library/single:1", platform: nil)
        for text in [
            single.id.hex, single.id.description, String(single.id.hex.prefix(6)),
            single.descriptor.digest.hex,
            "single@\(single.descriptor.digest)",
        ] {
            #expect(try catalog.choose(text, platform: nil, host: amd64).name == single.name, "\(text)")
        }
        #expect(throws: ImageChoiceError.unknown("sngle:1", near: "single:1")) {
            try catalog.select("sngle:1")
        }
        #expect(throws: ImageChoiceError.unknown("abc", near: nil)) { try catalog.select("abc") }
        #expect(throws: ImageChoiceError.self) { try catalog.choose("single:1", platform: arm64) }
        #expect(throws: ImageChoiceError.self) {
            try catalog.choose("multi", platform: nil, host: ImagePlatform(architecture: "riscv64"))
        }
    }

    @Test("digits that several images have are an error that lists them")
    func ambiguity() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        var seen: [Substring: String] = [:]
        // Of so many digests two have their first four digits in common.
        for number in 0..<2000 {
            let image = try putImage(store, as: "", sizes: [], seed: 1)
            var manifest = try JSON.decode(Manifest.self, from: store.read(image), name: "")
            manifest.config = try store.put(
                JSON.encode(ImageConfig(author: "\(number)", platform: amd64)), mediaType: .ociConfig)
            let prefix = manifest.config.digest.hex.prefix(4)
            if let other = seen[prefix] {
                for (name, config) in [("one", other), ("two", manifest.config.digest.hex)] {
                    let path = try Digest("sha256:\(config)")
                    manifest.config.digest = path
                    manifest.config.size = try store.openSize(path)
                    try store.tag(
                        Reference(name), as: store.put(JSON.encode(manifest), mediaType: .ociManifest))
                }
                let catalog = try ImageCatalog(store)
                let error = #expect(throws: ImageChoiceError.self) { try catalog.select(String(prefix)) }
                #expect(
                    error?.message.contains("one:latest") == true
                        && error?.message.contains("two:latest") == true)
                return
            }
            seen[prefix] = manifest.config.digest.hex
        }
        Issue.record("no two digests begin with the same digits")
    }

    @Test("a removal takes what nothing else leads to, and nothing more")
    func removal() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let image = try putImage(store, as: "one", sizes: [100, 200])
        try store.tag(Reference("two"), as: image)
        try putImage(store, as: "three", sizes: [100], seed: 2)
        var catalog = try ImageCatalog(store)
        var removal = try store.remove(catalog.select("one"))
        #expect(removal.names == ["docker.io/library/one:latest"] && removal.reclaimed.files == 0)
        catalog = try ImageCatalog(store)
        removal = try store.remove(catalog.select("two"))
        #expect(removal.reclaimed.files == 4)
        #expect(try ImageCatalog(store).images.map(\.missing.count) == [0])
        #expect(try store.digests().count == 3)
    }

    @Test("one platform can go; where another name has it, too, that is said and nothing goes")
    func platformRemoval() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let index = try putIndex(store, as: "multi", platforms: ["linux/amd64", "linux/arm64"])
        try store.tag(Reference("also"), as: index)
        var catalog = try ImageCatalog(store)
        let chosen = try catalog.select("multi", platform: arm64)
        #expect(throws: SharedPlatform.self) { try store.remove(chosen) }
        #expect(try ImageCatalog(store).images.count == 4)
        try store.untag("also")
        catalog = try ImageCatalog(store)
        let removal = try store.remove(catalog.select("multi", platform: arm64))
        #expect(removal.names.isEmpty && removal.platforms.count == 1)
        #expect(removal.reclaimed.files == 2)
        #expect(try ImageCatalog(store).images.map(\.platform) == [amd64])
    }

    @Test("two names of one image lose a platform together, and one that a third has, too, can be spared")
    func sharedPlatform() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let index = try putIndex(store, as: "one", platforms: ["linux/amd64", "linux/arm64"])
        for name in ["two", "three"] { try store.tag(Reference(name), as: index) }
        let arm = try ImageCatalog(store).images.filter { $0.platform == arm64 }
        let two = arm.filter { $0.familiarName != "three:latest" }
        #expect(throws: SharedPlatform.self) { try store.remove(two) }
        #expect(try store.claimed().remove(two, sparingShared: true).platforms.isEmpty)
        #expect(try ImageCatalog(store).images.count == 6)
        let removal = try store.remove(arm)
        #expect(removal.platforms.count == 3 && removal.reclaimed.files == 2)
        #expect(try ImageCatalog(store).images.map(\.platform) == [amd64, amd64, amd64])
    }

    @Test("a name that has gone on to another image since it was looked up keeps that")
    func movedName() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putImage(store, as: "app", sizes: [100])
        let old = try ImageCatalog(store).images
        let new = try putImage(store, as: "app", sizes: [200], seed: 2)
        #expect(try store.remove(old).names.isEmpty)
        #expect(try store.find(Reference("app"))?.digest == new.digest)
    }

    @Test("an image without a name goes by its digest")
    func nameless() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let image = try putImage(store, as: "app", sizes: [100])
        try store.root.replaceFile("index.json", with: JSON.encode(ImageIndex(manifests: [image])))
        let catalog = try ImageCatalog(store)
        #expect(try store.remove(catalog.images).names == [image.digest.description])
        #expect(try store.digests().isEmpty && ImageCatalog(store).images.isEmpty)
    }

    @Test("what a container was made of stays, whatever is removed; nothing goes when that is not known")
    func needed() throws {
        let scratch = try Scratch()
        var image = try putImage(makeStore(scratch), as: "app", sizes: [100, 200])
        image.platform = nil
        let manifest = try JSON.decode(Manifest.self, from: makeStore(scratch).read(image), name: "")
        let kept = Set(([manifest.config] + manifest.layers).map(\.digest))
        let store = try ImageLayout.open(scratch.directory("store")) { kept }
        try putImage(store, as: "other", sizes: [300], seed: 2)
        #expect(try store.remove(ImageCatalog(store).images).reclaimed.files == 4)
        #expect(try store.digests() == kept)
        #expect(try store.collect() == 0)
        let careful = try ImageLayout.open(scratch.directory("store")) {
            throw SystemError("read", code: EIO)
        }
        #expect(throws: SystemError.self) { try careful.collect() }
        #expect(try store.digests() == kept)
        #expect(try careful.claimed().clear().files == 3)
    }

    @Test("nothing is removed while another process uses the store, and no name goes")
    func busy() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putImage(store, as: "one", sizes: [100])
        let use = try store.beginUse()
        #expect(throws: StoreInUse.self) { _ = try store.claim() }
        #expect(try store.digests().count == 3 && store.index().manifests.count == 1)
        use.release()
        #expect(try store.collect() == 0)
    }

    @Test("a collection spares what was used last, and clearing spares nothing")
    func sparing() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        try putImage(store, as: "kept", sizes: [100])
        let old = try store.put(noise(8192, seed: 1), mediaType: .ociLayer)
        let young = try store.put(noise(8192, seed: 2), mediaType: .ociLayer)
        try run(["touch", "-d", "2001-01-01", "\(scratch.path)/store/blobs/sha256/\(old.digest.hex)"])
        #expect(try store.collect(sparing: 12000) == 1)
        #expect(store.has(young) && !store.has(old))
        #expect(try store.collect() == 1)
        #expect(try ImageCatalog(store).images.count == 1)
        #expect(try store.claimed().clear().files == 3)
        #expect(try ImageCatalog(store).images.isEmpty && store.digests().isEmpty)
    }

    @Test("usage counts shared content once, and tells what nothing leads to")
    func usage() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let image = try putImage(store, as: "one", sizes: [8192])
        try store.tag(Reference("two"), as: image)
        let orphan = try store.put(noise(4096, seed: 3), mediaType: .ociLayer)
        let usage = try ImageUsage(store)
        #expect(usage.items.map(\.name) == ["docker.io/library/one:latest", "docker.io/library/two:latest"])
        #expect(usage.items.allSatisfy { $0.unique == 0 && $0.size == usage.images })
        #expect(usage.orphans.files == 1 && usage.orphans.bytes >= orphan.size)
    }

    @Test("an index that leads to itself many times over is followed once")
    func manyWays() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        var top = try putImage(store, as: "", sizes: [100])
        for _ in 0..<4 {
            top.platform = nil
            let entries = [Descriptor](repeating: top, count: 3000)
            top = try store.put(JSON.encode(ImageIndex(manifests: entries)), mediaType: .ociIndex)
        }
        try store.tag(Reference("deep"), as: top)
        #expect(try ImageCatalog(store).images.count == 1)
        #expect(try store.collect() == 0)
        #expect(throws: Never.self) { try Shipment(top, named: "deep", in: store) }
    }

    @Test(
        "whatever type content was announced with, it costs no image its layers",
        arguments: ["", "application/json", "application/vnd.oci.image.layer.v1.tar"])
    func untyped(_ type: String) throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        var image = try putImage(store, as: "", sizes: [100])
        image.mediaType = MediaType(rawValue: type)
        var index = try store.put(JSON.encode(ImageIndex(manifests: [image])), mediaType: .ociIndex)
        index.mediaType = MediaType(rawValue: type)
        try store.tag(Reference("untyped"), as: index)
        #expect(try store.collect() == 0)
    }

    @Test(
        "an image that names another one's manifest as its layer, of any size, does not take its layers away")
    func claimedLayer() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let victim = try putImage(store, as: "", sizes: [100, 200])
        for size in [victim.size, 7] {
            var layer = Descriptor(mediaType: .ociLayer, digest: victim.digest, size: size)
            layer.platform = nil
            let config = try store.put(JSON.encode(ImageConfig()), mediaType: .ociConfig)
            let hostile = try store.put(
                JSON.encode(Manifest(config: config, layers: [layer])), mediaType: .ociManifest)
            try store.tag(Reference("hostile:\(size)"), as: hostile)
        }
        try store.tag(Reference("victim"), as: victim)
        #expect(try store.collect() == 0)
        #expect(try ImageCatalog(store).images.first { $0.familiarName == "victim:latest" }?.missing == [])
    }
}

extension ImageLayout {
    fileprivate func openSize(_ digest: Digest) throws -> Int64 {
        try folder(digest.algorithm, make: false).status(RawString(digest.hex)).size
    }
}
