import Libc
import Platform
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")

@Suite("RegistryClient", .enabled(if: Front.isPossible, "needs python3")) struct RegistryClientTests {
    @Test("a token is fetched with the password, and the password goes nowhere else")
    func token() throws {
        let front = try Front()
        let puller = makePuller(["CD_DOCKER_AUTH": "user:secret"])
        try puller.fetch(try front.reference("plain", port: 2), for: platform, in: makeStore(front.scratch))
        for request in try front.requests() {
            let isToken = request.path.hasPrefix("/token")
            #expect(request.authorization?.hasPrefix("Basic") ?? false == isToken, "\(request.path)")
            #expect(!request.path.contains("secret"))
        }
    }

    @Test("a token that runs out on the way is renewed")
    func renewal() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        try makePuller(["CD_DOWNLOAD_WORKERS": "1"])
            .fetch(try front.reference("shortlived", port: 2), for: platform, in: store)
        #expect(try front.requests().count { $0.path.hasPrefix("/token") } >= 2)
    }

    @Test("a redirect to another host takes no proof of who we are along")
    func redirect() throws {
        let front = try Front()
        let puller = makePuller(["CD_DOCKER_AUTH": "user:secret"])
        try puller.fetch(
            try front.reference("tokenredirect", port: 2), for: platform, in: makeStore(front.scratch))
        let elsewhere = try front.requests().filter { $0.path.hasPrefix("/elsewhere") }
        #expect(!elsewhere.isEmpty)
        #expect(elsewhere.allSatisfy { $0.authorization == nil })
    }

    @Test("a wrong password and a closed door are told apart")
    func wrongPassword() throws {
        let front = try Front()
        let store = try makeStore(front.scratch)
        let image = try front.reference("plain", port: 2)
        #expect(throws: RegistryError.wrongPassword(registry: image.registry, source: "PD_DOCKER_AUTH")) {
            try makePuller(["PD_DOCKER_AUTH": "user:wrong"]).fetch(image, for: platform, in: store)
        }
        let denied = try front.reference("denied", port: 2)
        let error = #expect(throws: RegistryError.self) {
            try makePuller(["CD_DOCKER_AUTH": "user:secret"]).fetch(denied, for: platform, in: store)
        }
        #expect(error?.message.contains("these credentials do not open it") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("an identity token is exchanged by POST")
    func identity() throws {
        let front = try Front()
        let image = try front.reference("plain", port: 2)
        try front.scratch.write(
            "config.json", #"{"auths": {"\#(image.registry)": {"identitytoken": "identity"}}}"#)
        try makePuller(["DOCKER_CONFIG": front.scratch.path])
            .fetch(image, for: platform, in: makeStore(front.scratch))
        let posts = try front.requests().filter { $0.method == "POST" }
        #expect(posts.first?.form?.contains("refresh_token=identity") == true)
    }

    @Test("a mirror is asked first and need not have everything; the registry's password stays away from it")
    func mirrors() throws {
        let front = try Front()
        let origin = try front.reference("plain")
        for mirror in [
            "127.0.0.1:\(front.ports[1])/missing", "127.0.0.1:\(front.ports[1])/wrong", "127.0.0.1:1",
        ] {
            let registries = RegistriesConfiguration(entries: [origin.registry: .init(mirrors: [mirror])])
            let store = try makeStore(front.scratch, "store-\(mirror.split(separator: "/").last ?? "")")
            try makePuller(["CD_DOCKER_AUTH": "user:secret"], registries: registries)
                .fetch(origin, for: platform, in: store)
        }
        let asked = try front.requests().filter { String($0.port) == front.ports[1] }
        #expect(!asked.isEmpty)
        #expect(asked.allSatisfy { $0.authorization == nil })
    }

    @Test("a proxy of the environment is used for other hosts, not for this machine")
    func proxy() throws {
        let front = try Front()
        let environment = [
            "http_proxy": "http://127.0.0.1:\(front.ports[1])", "https_proxy": "http://127.0.0.1:1",
        ]
        let name = "registry.invalid:5000"
        let registries = RegistriesConfiguration(entries: [name: .init(insecure: true)])
        try makePuller(environment, registries: registries)
            .fetch(try Reference("\(name)/plain/app"), for: platform, in: makeStore(front.scratch))
        #expect(try front.requests().allSatisfy { $0.path.hasPrefix("http://registry.invalid:5000/") })
        let own = try front.reference("plain")
        try makePuller(environment).fetch(own, for: platform, in: makeStore(front.scratch, "own"))
    }

    @Test("a server that says only at the image how it wants to be convinced is convinced")
    func lateChallenge() throws {
        let front = try Front()
        try makePuller(["CD_DOCKER_AUTH": "user:secret"])
            .fetch(try front.reference("late"), for: platform, in: makeStore(front.scratch))
        #expect(try front.requests().contains { $0.path.hasPrefix("/token") && $0.authorization != nil })
    }

    @Test("another server, to which a redirect leads, cannot ask for the password")
    func strayChallenge() throws {
        let front = try Front()
        #expect(throws: RegistryError.self) {
            try makePuller(["CD_DOCKER_AUTH": "user:secret"])
                .fetch(try front.reference("stray"), for: platform, in: makeStore(front.scratch))
        }
        let requests = try front.requests()
        #expect(requests.contains { $0.path.hasPrefix("/stray/") })
        #expect(requests.allSatisfy { $0.authorization == nil && !$0.path.hasPrefix("/token") })
    }

    /// A client of a server that is not there.
    private func lostClient(pause: Double) throws -> RegistryClient {
        var retry = RetryPolicy(retries: 1)
        retry.firstPause = pause
        let endpoint = try #require(RegistriesConfiguration().endpoints(of: "127.0.0.1:1").first)
        return RegistryClient(
            endpoint, settings: HTTPSettings(version: "test"),
            credentials: CredentialSource(environment: [:]),
            retry: retry)
    }

    @Test("a server that is not there is waited for once, however many layers it should have")
    func deadMirror() throws {
        let image = try Reference("127.0.0.1:1/app")
        let client = try lostClient(pause: 2)
        let digest = try Digest.of([])
        var seconds: [Double] = []
        for _ in 0..<2 {
            let start = BlobFetcher.now()
            let error = #expect(throws: RegistryError.self) { try client.blobRequest(of: image, digest) }
            #expect(error?.isNetworkFailure == true)
            seconds.append(BlobFetcher.now() - start)
        }
        #expect(seconds[0] >= 1 && seconds[1] < 0.5, "\(seconds)")
    }

    @Test("nobody waits for another try when nobody wants the answer")
    func stopping() throws {
        let scratch = try Scratch()
        let image = try Reference("127.0.0.1:1/app")
        let client = try lostClient(pause: 40)
        let board = TransferBoard(layers: [])
        _ = try BlobFetcher(
            [], of: image, from: [client], into: makeStore(scratch), board: board,
            settings: TransferSettings(), http: HTTPSettings(version: "test"), observer: nil)
        #expect(!client.isStopped())
        board.close()
        let start = BlobFetcher.now()
        #expect(throws: RegistryError.self) { try client.blobRequest(of: image, Digest.of([])) }
        #expect(BlobFetcher.now() - start < 10)
    }

    @Test("a server that speaks no TLS is told apart, and no password was sent to find out")
    func plaintext() throws {
        let front = try Front()
        // 127.0.0.1 in a spelling that does not count as this machine.
        let registry = "[::ffff:7f00:1]:\(front.ports[0])"
        let error = #expect(throws: RegistryError.self) {
            try makePuller(["CD_DOWNLOAD_MAX_RETRIES": "0", "CD_DOCKER_AUTH": "user:secret"])
                .fetch(try Reference("\(registry)/plain/app"), for: platform, in: makeStore(front.scratch))
        }
        #expect(error == .plaintext(host: registry))
        #expect(try front.requests().allSatisfy { $0.authorization == nil })
        let allowing = RegistriesConfiguration(allowsInsecure: true)
        try makePuller(registries: allowing)
            .fetch(try Reference("\(registry)/plain/app"), for: platform, in: makeStore(front.scratch))
    }
}
