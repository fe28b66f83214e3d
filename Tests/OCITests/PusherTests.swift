import Libc
import Platform
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

/// A front to push to, and a store with an image of three layers.
private final class Pushing {
    let front: Front
    let store: ImageLayout
    let shipment: Shipment
    let large: Descriptor

    init(sizes: [Int] = [2000, 1_500_000, 3000]) throws {
        front = try Front(sizes: [10])
        let store = try makeStore(front.scratch)
        let image = try putImage(store, as: "app", sizes: sizes)
        shipment = try Shipment(image, named: "app", in: store)
        large = try #require(shipment.blobs.max { $0.size < $1.size })
        self.store = store
    }

    @discardableResult
    func push(
        _ mode: String, port: Int = 0, _ environment: [String: String] = [:],
        knowing catalog: ImageCatalog = ImageCatalog()
    ) throws -> Pusher.Outcome {
        var pusher = Pusher(makePuller(environment))
        pusher.retry.firstPause = 0.02
        return try pusher.push(shipment, as: front.reference(mode, port: port), from: store, knowing: catalog)
    }

    /// Requests that carried bytes of the large blob.
    func sendings() throws -> [Front.Request] {
        try front.requests().filter {
            ["PUT", "PATCH"].contains($0.method) && !$0.path.contains("/manifests/")
        }
    }

    /// Expects that what is there now is the image, to the byte.
    func expectArrived(_ mode: String, port: Int = 0, _ sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let pulled = try makeStore(front.scratch, "pulled-\(mode.replacing("/", with: "-"))")
        let image = try makePuller().fetch(try front.reference(mode, port: port), for: platform, in: pulled)
        #expect(image.top.digest == shipment.top.digest, sourceLocation: sourceLocation)
    }

    /// Expects that the registry has no image, not even half of one.
    func expectNothing(_ mode: String, _ sourceLocation: SourceLocation = #_sourceLocation) throws {
        let manifests = try front.requests().filter { $0.method == "PUT" && $0.path.contains("/manifests/") }
        #expect(manifests.isEmpty, sourceLocation: sourceLocation)
    }
}

@Suite("Pusher", .enabled(if: Front.isPossible, "needs python3")) struct PusherTests {
    @Test("a pushed image is pulled with the same digest, and nothing is sent twice")
    func roundTrip() throws {
        let pushing = try Pushing()
        let first = try pushing.push("up")
        #expect(first.sent == 4 && first.present == 0 && first.digest == pushing.shipment.top.digest)
        try pushing.expectArrived("up")
        let second = try pushing.push("up")
        #expect(second.sent == 0 && second.bytes == 0 && second.present == 4)
    }

    @Test("asks for each blob before and after it is sent, and sends the manifest last")
    func order() throws {
        let pushing = try Pushing()
        try pushing.push("up")
        let requests = try pushing.front.requests()
        let manifest = try #require(requests.firstIndex { $0.path.contains("/manifests/") })
        #expect(requests.dropFirst(manifest).allSatisfy { $0.path.contains("/manifests/") })
        for blob in pushing.shipment.blobs {
            let ofBlob = requests.filter {
                $0.path.contains(blob.digest.hex) && !$0.path.contains("/manifests/")
            }
            #expect(ofBlob.map(\.method) == ["HEAD", "PUT", "HEAD"])
        }
    }

    @Test(
        "arrives in spite of a registry that breaks, forgets, and takes only one way of sending",
        arguments: [
            "updrop", "upforget", "upwhole", "upchunks", "upflaky", "up429", "uprelative", "upheadlie",
            "upstatuslie", "upslow",
        ])
    func misbehaviour(_ mode: String) throws {
        let pushing = try Pushing()
        try pushing.push(mode)
        try pushing.expectArrived(mode)
    }

    @Test("what arrived before the connection broke is not sent again")
    func resumes() throws {
        let pushing = try Pushing()
        try pushing.push("updrop")
        let ranges = try pushing.sendings().compactMap(\.content_range)
        #expect(ranges.first == "300000-1499999", "\(ranges)")
    }

    @Test("chunks are as large as the registry wants, at least")
    func chunks() throws {
        let pushing = try Pushing()
        try pushing.push("upchunks")
        #expect(try pushing.sendings().contains { $0.content_range == "0-1499999" })
    }

    @Test(
        "gives up with a word about why, and no manifest is sent",
        arguments: [
            ("up401", "without logging in"), ("up403", "not yours"), ("up413", "does not take a blob"),
            ("up500", "HTTP status 500"), ("up429long", "asks to wait 2 hours"), ("up405", "read-only"),
            ("upnolocation", "without a Location"), ("uploses", "does not have"), ("updigestlie", "0000"),
            ("uprangelie", "1505000 bytes"), ("upteapot", "HTTP status 418"),
        ])
    func refusals(_ mode: String, _ words: String) throws {
        let pushing = try Pushing()
        let error = #expect(throws: (any Error).self) { try pushing.push(mode) }
        let message = (error as? any UserFacing)?.message ?? "\(String(describing: error))"
        #expect(message.contains(words), "\(message)")
        #expect(!message.contains("\u{1b}"))
        try pushing.expectNothing(mode)
    }

    @Test(
        "says that a manifest was refused, or kept as something else",
        arguments: ["upbadmanifest", "upmanifestlie"])
    func manifest(_ mode: String) throws {
        let pushing = try Pushing()
        #expect(throws: PushError.self) { try pushing.push(mode) }
    }

    @Test(
        "blobs come from another repository of the registry, where it lends them",
        arguments: ["up", "upnomount"])
    func mounting(_ mode: String) throws {
        let pushing = try Pushing()
        try pushing.push("up/donor")
        try pushing.store.tag(pushing.front.reference("up/donor"), as: pushing.shipment.top)
        let outcome = try pushing.push("\(mode)/taker", knowing: ImageCatalog(pushing.store))
        #expect(mode == "up" ? outcome.mounted == 4 : outcome.sent == 4)
        try pushing.expectArrived("\(mode)/taker")
    }

    @Test("no credential leaves for another host", arguments: ["upelsewhere", "upredirect"])
    func otherHost(_ mode: String) throws {
        let pushing = try Pushing()
        try pushing.push(mode, port: 2, ["CD_DOCKER_AUTH": "user:secret"])
        let requests = try pushing.front.requests()
        let elsewhere = requests.filter { "\($0.port)" == pushing.front.ports[1] }
        #expect(!elsewhere.isEmpty && elsewhere.allSatisfy { $0.authorization == nil })
        let sent = requests.filter { $0.method == "PUT" && "\($0.port)" == pushing.front.ports[2] }
        #expect(sent.allSatisfy { $0.authorization?.hasPrefix("Bearer ") == true })
        try pushing.expectArrived(mode, port: 2)
    }

    @Test("a token for pushing is asked for, and a wrong password is called one")
    func tokens() throws {
        let pushing = try Pushing()
        try pushing.push("up", port: 2, ["CD_DOCKER_AUTH": "user:secret"])
        #expect(
            try pushing.front.requests().contains {
                $0.path.contains("pull%2Cpush") && $0.path.hasPrefix("/token")
            })
        let error = #expect(throws: RegistryError.self) {
            try pushing.push("up", port: 2, ["CD_DOCKER_AUTH": "user:wrong"])
        }
        #expect(
            error == .wrongPassword(registry: "127.0.0.1:\(pushing.front.ports[2])", source: "CD_DOCKER_AUTH")
        )
    }

    @Test("a token that runs out on the way is replaced")
    func shortlived() throws {
        let pushing = try Pushing()
        try pushing.push("up/shortlived", port: 2)
        try pushing.expectArrived("up/shortlived", port: 2)
    }

    @Test("a blob that is damaged in the store is never completed at the registry")
    func damaged() throws {
        let pushing = try Pushing()
        let path = "\(pushing.front.scratch.path)/store/blobs/sha256/\(pushing.large.digest.hex)"
        try run(["sh", "-c", "printf X | dd of=\(path) bs=1 seek=1499999 conv=notrunc status=none"])
        let error = #expect(throws: BlobError.self) { try pushing.push("up") }
        #expect(error?.message.contains(pushing.large.digest.hex) == true)
        try pushing.expectNothing("up")
        let answer = try makeProbe(
            "127.0.0.1:\(pushing.front.ports[0])", "up/app/blobs/\(pushing.large.digest)")
        #expect(answer == 404)
    }

    @Test("an index is pushed with all its images, or with those that are here")
    func indexes() throws {
        let pushing = try Pushing()
        let store = try makeStore(pushing.front.scratch, "indexes")
        let whole = try putIndex(store, as: "whole", platforms: ["linux/amd64", "linux/arm64"])
        let partial = try putIndex(
            store, as: "partial", platforms: ["linux/amd64", "linux/arm64", "linux/s390x"],
            present: ["linux/amd64", "linux/arm64"])
        let single = try putIndex(
            store, as: "single", platforms: ["linux/amd64", "linux/arm64"], present: ["linux/arm64"])
        for (top, name, isSame, absent) in [
            (whole, "whole", true, 0), (partial, "partial", false, 1), (single, "single", false, 1),
        ] {
            let shipment = try Shipment(top, named: name, in: store)
            #expect(shipment.absent.count == absent && (shipment.top.digest == top.digest) == isSame)
            try Pusher(makePuller()).push(shipment, as: pushing.front.reference("up/\(name)"), from: store)
            let pulled = try makeStore(pushing.front.scratch, "pulled-\(name)")
            for architecture in name == "single" ? ["arm64"] : ["amd64", "arm64"] {
                let image = try makePuller().fetch(
                    try pushing.front.reference("up/\(name)"), for: ImagePlatform(architecture: architecture),
                    in: pulled)
                #expect(image.top.digest == shipment.top.digest)
            }
        }
    }

    @Test("what tells of an image stays behind when the image leaves alone")
    func attestation() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let image = try putImage(store, as: "", sizes: [100])
        var told = try putImage(store, as: "", sizes: [200], seed: 2)
        told.platform = ImagePlatform(architecture: "unknown")
        let absent = Descriptor(
            mediaType: .ociManifest, digest: try Digest.of([1]), size: 10,
            platform: try ImagePlatform("linux/arm64"))
        let top = try store.put(
            JSON.encode(ImageIndex(manifests: [image, told, absent])), mediaType: .ociIndex)
        let shipment = try Shipment(top, named: "app", in: store)
        #expect(shipment.documents.map(\.descriptor.digest) == [image.digest])
        #expect(shipment.top.digest == image.digest && shipment.blobs.count == 2)
        #expect(shipment.absent.count == 1)
    }

    @Test("an image that lacks a layer is not pushed")
    func incomplete() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let image = try putImage(store, as: "app", sizes: [100, 200])
        let manifest = try JSON.decode(Manifest.self, from: store.read(image), name: "")
        store.evict(manifest.layers[1].digest)
        #expect(throws: IncompleteImage.self) { try Shipment(image, named: "app", in: store) }
    }
}

@Suite("UploadSession") struct UploadSessionTests {
    private func url() throws -> WebURL {
        try #require(WebURL("https://registry.test:5000/v2/app/blobs/uploads/"))
    }

    @Test(
        "a Location is read as a browser reads it",
        arguments: [
            ("/v2/x?a=b", "https://registry.test:5000/v2/x?a=b"),
            ("next?s=1", "https://registry.test:5000/v2/app/blobs/uploads/next?s=1"),
            ("https://other.test/up", "https://other.test/up"), ("//other.test/up", "https://other.test/up"),
            ("?s=1", "https://registry.test:5000/v2/app/blobs/uploads/?s=1"),
        ])
    func locations(_ text: String, _ expected: String) throws {
        var head = HTTPHead()
        head.headers["location"] = text
        let session = try UploadSession(head, from: url(), allowsOpen: { _ in false })
        #expect(session.location.description == expected)
        let digest = try Digest.of([1])
        let closing = try #require(session.closing(digest))
        #expect(
            closing.description == expected + (expected.contains("?") ? "&" : "?")
                + "digest=sha256%3A\(digest.hex)")
    }

    @Test(
        "a Location that leaves encryption, or is none, is refused",
        arguments: [
            "http://registry.test:5000/up", "http://other.test/up", "ftp://x/", "", "javascript:1",
            "https://u:p@x/",
        ])
    func refused(_ text: String) {
        var head = HTTPHead()
        head.headers["location"] = text
        #expect(throws: (any Error).self) { try UploadSession(head, from: url(), allowsOpen: { _ in false }) }
    }

    @Test(
        "a range that makes no sense is an error",
        arguments: ["5-9", "0--1", "x", "0-99999999999999999999", "0-"])
    func ranges(_ text: String) throws {
        var head = HTTPHead()
        head.headers["location"] = "/x"
        let url = try url()
        var session = try UploadSession(head, from: url, allowsOpen: { _ in false })
        head.headers["range"] = text
        #expect(throws: PushError.self) {
            try session.advance(head, from: url, allowsOpen: { _ in false }, expecting: nil)
        }
    }
}

/// The status that a registry answers with.
private func makeProbe(_ host: String, _ path: String) throws -> Int {
    let handle = try HTTPHandle(HTTPSettings(version: "probe"))
    guard let url = WebURL("http://\(host)/v2/\(path)") else { return 0 }
    return try handle.exchange(HTTPRequest(method: "HEAD", url: url)).head.status
}
