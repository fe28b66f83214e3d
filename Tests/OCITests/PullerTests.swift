import Libc
import Platform
import Synchronization
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

@Suite("Puller", .enabled(if: Front.isPossible, "needs python3")) struct PullerTests {
    @Test("the layers come in their order, and then the image is installed without any network")
    func orderAndOffline() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        var sink = ReadingSink()
        let image = try makePuller().pull(try front.reference("plain"), for: platform, in: store, into: &sink)
        #expect(sink.seen == [0, 1, 2])
        #expect(sink.bytes == image.size)
        #expect(!image.isFromStore)
        let count = try front.requests().count
        #expect(try front.requests().allSatisfy { $0.agent == "chroot-distro/test" })
        let again = try makePuller().pull(
            try front.reference("plain"), for: platform, policy: .never, in: store, into: &sink)
        #expect(again.isFromStore)
        #expect(again.descriptor == image.descriptor)
        #expect(try front.requests().count == count)
    }

    @Test("a pull that always asks looks at the tag, and fetches nothing that is here")
    func alwaysAsks() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        try makePuller().fetch(try front.reference("plain"), for: platform, in: store)
        let before = try front.requests().count
        try makePuller().fetch(try front.reference("plain"), for: platform, policy: .always, in: store)
        let later = try front.requests().dropFirst(before).filter { $0.path != "/v2/" }
        #expect(later.map(\.method) == ["HEAD"])
    }

    @Test("a registry that answers no HEAD is asked by GET")
    func headless() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        for _ in 0..<2 {
            try makePuller().fetch(
                try front.reference("headless"), for: platform, policy: .always, in: store)
        }
        let asked = try front.requests().filter { $0.path.contains("/manifests/") }
        #expect(asked.map(\.method) == ["GET", "HEAD", "GET"])
    }

    @Test("another image than the one that is wanted is not fetched, and gets no name")
    func otherImage() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let reference = try front.reference("plain")
        var sink = ReadingSink()
        #expect(throws: PullError.otherImage(reference)) {
            try makePuller().pull(reference, for: platform, id: Digest.of([1]), in: store, into: &sink)
        }
        #expect(try sink.seen.isEmpty && store.index().manifests.isEmpty)
        #expect(try front.requests().count { $0.path.contains("/blobs/") } == 1)
    }

    @Test("a connection that breaks is gone on with at the byte where it broke")
    func resumes() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        try makePuller().fetch(try front.reference("drop"), for: platform, in: store)
        let ranges = try front.requests().compactMap(\.range)
        #expect(ranges == ["bytes=300000-", "bytes=600000-"])
    }

    @Test("what an earlier run left is gone on with; what is damaged in it is fetched anew")
    func resumesAcrossRuns() throws {
        let front = try Front()
        for isDamaged in [false, true] {
            let store = try makeStore(front.scratch, "store-\(isDamaged)")
            var hasty = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0"])
            hasty.retry.firstPause = 0.01
            let image = try front.reference("drop/\(isDamaged)")
            #expect(throws: (any Error).self) { try hasty.fetch(image, for: platform, in: store) }
            let part = try #require(try store.ingest.entries().first { $0.name.text.hasSuffix(".part") })
            if isDamaged {
                let file = try store.ingest.openFile(part.name, O_WRONLY)
                try file.writeAll("damage")
            }
            try makePuller().fetch(image, for: platform, in: store)
        }
        #expect(try front.requests().compactMap(\.range).first == "bytes=300000-")
    }

    @Test("a server that sends another range than was asked for is asked for the whole, also by a later run")
    func wrongRange() throws {
        let front = try Front()
        try makePuller().fetch(
            try front.reference("wrongrange"), for: platform, in: makeStore(front.scratch))
        let store = try makeStore(front.scratch, "later")
        let hasty = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0"])
        let image = try front.reference("wrongrange/later")
        // The line breaks, then the range is wrong, and then none is asked for.
        for _ in 0..<2 {
            #expect(throws: (any Error).self) { try hasty.fetch(image, for: platform, in: store) }
        }
        try hasty.fetch(image, for: platform, in: store)
    }

    @Test("a server that ignores ranges still gets the image across")
    func ignoresRanges() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        try makePuller().fetch(try front.reference("norange"), for: platform, in: store)
    }

    @Test("trouble that passes is waited out", arguments: ["limited", "limiteddate", "flaky"])
    func retries(mode: String) throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        try makePuller().fetch(try front.reference(mode), for: platform, in: store)
    }

    @Test("without retries the first trouble is the last, and a good server still works")
    func noRetries() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let puller = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0"])
        #expect(throws: RegistryError.self) {
            try puller.fetch(try front.reference("flaky"), for: platform, in: store)
        }
        try puller.fetch(try front.reference("plain"), for: platform, in: store)
    }

    @Test(
        "each refusal says what is wrong",
        arguments: [
            ("missing", "no such image"), ("private401", "no such image, or it is private"),
            ("denied403", "or it is private (it says: requested access to the resource is denied\\e[31m)"),
            ("exhausted", "it asks to wait 2 hours"), ("broken", "HTTP status 500"),
            ("oversized", "more than 16 MiB"), ("notjson", "it is not JSON"), ("schema1", "is not an image"),
            ("loop", "redirects in circles"), ("wrong", "damaged or forged"), ("long", "too long"),
            ("short", "cut short"), ("nolayer", "no such image"),
        ])
    func refusals(mode: String, words: String) throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let puller = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "1"])
        let error = #expect(throws: (any Error).self) {
            try puller.fetch(try front.reference(mode), for: platform, in: store)
        }
        let message = (error as? any UserFacing)?.message ?? "\(String(describing: error))"
        #expect(message.contains(words), "\(message)")
        #expect(try store.index().manifests.isEmpty)
    }

    @Test("a manifest that is not what its digest says is refused")
    func forgedManifest() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let digest = try #require(try makeStore(front.scratch, "served").index().manifests.first).digest
        let pinned = try front.reference("plain").pinned(to: digest)
        #expect(try makePuller().fetch(pinned, for: platform, in: store).descriptor.digest == digest)
        let other = try makeStore(front.scratch, "other")
        let forged = try front.reference("forged").pinned(to: digest)
        #expect(throws: BlobError.self) { try makePuller().fetch(forged, for: platform, in: other) }
    }

    @Test("a nobody at the other end is named, with the way out")
    func unreachable() throws {
        let scratch = try Scratch()
        let store = try makeStore(scratch)
        let puller = makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0"])
        let error = #expect(throws: RegistryError.self) {
            try puller.fetch(try Reference("127.0.0.1:1/app"), for: platform, in: store)
        }
        #expect(error?.message.contains("cannot be reached") == true)
        #expect(throws: PullError.self) {
            try puller.fetch(try Reference("127.0.0.1:1/app"), for: platform, policy: .never, in: store)
        }
    }

    @Test("a layer that was damaged in the store is noticed, removed and fetched again")
    func damagedInStore() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let reference = try front.reference("plain")
        let image = try makePuller().fetch(reference, for: platform, in: store)
        let layer = image.manifest.value.layers[1]
        let file = try store.folder(.sha256, make: false).openFile(RawString(layer.digest.hex), O_WRONLY)
        try file.writeAll("damage")
        var sink = ReadingSink()
        #expect(throws: PullError.damaged(reference, layer.digest)) {
            try makePuller().pull(reference, for: platform, in: store, into: &sink)
        }
        try makePuller().pull(reference, for: platform, in: store, into: &sink)
    }

    @Test("a rate limit holds for all layers together")
    func rateLimit() throws {
        let front = try Front(sizes: [600_000, 600_000, 600_000])
        let store = try makeStore(front.scratch)
        let start = MonotonicClock.seconds
        try makePuller(["CD_DOWNLOAD_RATE_LIMIT": "1M"]).fetch(
            try front.reference("plain"), for: platform, in: store)
        let limited = MonotonicClock.seconds - start
        let freely = MonotonicClock.seconds
        try makePuller().fetch(
            try front.reference("plain"), for: platform, in: makeStore(front.scratch, "other"))
        let free = MonotonicClock.seconds - freely
        // The bytes alone take 1.7 seconds; other tests may be at work at the same time.
        #expect(limited >= 1.2 && limited < 4 + 10 * free, "\(limited), \(free)")
    }

    @Test("an image without layers is an image")
    func noLayers() throws {
        let front = try Front(sizes: [])
        try makePuller().fetch(try front.reference("plain"), for: platform, in: makeStore(front.scratch))
    }

    @Test(
        "layers that cannot be unpacked are refused by name",
        arguments: [
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "not be distributed"),
            ("application/x-unheard-of", "not known here"),
        ])
    func strangeLayers(type: String, words: String) throws {
        let front = try Front(type: MediaType(rawValue: type))
        let store = try makeStore(front.scratch)
        let error = #expect(throws: UnusableLayer.self) {
            try makePuller().fetch(try front.reference("plain"), for: platform, in: store)
        }
        #expect(error?.message.contains(words) == true)
    }

    @Test("a platform that is not there is refused with what is on offer")
    func otherPlatform() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let error = #expect(throws: ImagePlatformError.self) {
            try makePuller().fetch(try front.reference("plain"), for: ImagePlatform("arm"), in: store)
        }
        #expect(error?.message.contains("linux/amd64") == true)
    }

    @Test("progress ends with everything here")
    func progress() throws {
        final class Watcher: PullObserver, @unchecked Sendable {
            var last: PullProgress?
            func show(_ progress: PullProgress) { last = progress }
        }
        let front = try Front()
        let watcher = Watcher()
        try makePuller().fetch(
            try front.reference("plain"), for: platform, in: makeStore(front.scratch), observer: watcher)
        #expect(watcher.last?.downloaded == watcher.last?.total)
        #expect(watcher.last?.layers.map(\.phase) == [.done, .done, .done])
    }
}

@Suite("LayerTransfer") struct LayerTransferTests {
    /// Brings a layer when somebody waits for it, and sees with what priority it runs (sched(7)).
    private final class Watcher: LayerSupply {
        static let idle: Int32 = 5  // SCHED_IDLE

        private let board: TransferBoard
        private let layer: Descriptor
        private let bring: () throws -> Void
        let policies = Mutex<[Int32]>([])

        init(_ board: TransferBoard, _ layer: Descriptor, bring: @escaping () throws -> Void) {
            (self.board, self.layer, self.bring) = (board, layer, bring)
        }

        private func look() -> Int32 {
            let policy = sched_getscheduler(0)
            policies.withLock { $0.append(policy) }
            return policy
        }

        func run() {
            _ = look()
            for _ in 0..<2000 where sched_getscheduler(0) == Self.idle { usleep(5000) }
            _ = look()
            do {
                try bring()
                board.set(layer.digest, .ready, done: layer.size)
            } catch {
                board.fail(layer.digest, error)
            }
        }
    }

    @Test(
        "who brings layers takes what others leave of the processors, until somebody waits for it",
        .enabled(if: geteuid() == 0, "only root may take priority back"))
    func priority() throws {
        let scratch = try Scratch()
        let made = try makeStore(scratch, "made")
        let store = try makeStore(scratch)
        let manifest = try putImage(made, as: "app", sizes: [4000, 5000])
        let image = try makePuller().resolve(Reference("app"), for: platform, policy: .never, in: made)
        let layers = try Document<Manifest>(made.read(manifest), for: manifest, name: "").value.layers
        let bytes = try layers.map { try made.open($0).readAll(limit: 1 << 20) }
        try store.put(bytes[0], mediaType: .ociLayer)
        let target = try store.duplicate()
        var watcher: Watcher?
        var handed: [Int] = []
        try LayerTransfer.run(image.stack, in: store, nil) { missing, board in
            let made = Watcher(board, missing[0]) { try target.put(bytes[1], mediaType: .ociLayer) }
            watcher = made
            return made
        } handOn: { layer in
            handed.append(layer.index)
            // As long as the first is being unpacked, nobody waits for the second.
            for _ in 0..<2000 where watcher?.policies.withLock({ $0.isEmpty }) == true { usleep(5000) }
        }
        #expect(handed == [0, 1])
        #expect(watcher?.policies.withLock { $0 } == [Watcher.idle, 0])
    }
}
