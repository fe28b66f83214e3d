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
        for _ in 0..<6 {
            let start = MonotonicClock.seconds
            let error = #expect(throws: RegistryError.self) { try client.blobRequest(of: image, digest) }
            #expect(error?.message.contains("cannot be reached") == true)
            seconds.append(MonotonicClock.seconds - start)
        }
        // Each that was waited for would take a second at least, however idle the machine.
        #expect(seconds[0] >= 1 && seconds.dropFirst().contains { $0 < 0.5 }, "\(seconds)")
    }

    @Test("nobody waits for another try when nobody wants the answer")
    func stopping() throws {
        let scratch = try Scratch()
        let image = try Reference("127.0.0.1:1/app")
        let client = try lostClient(pause: 40)
        let board = TransferBoard(layers: [])
        _ = try BlobFetcher(
            [], of: image, from: [client], into: makeStore(scratch), board: board,
            settings: TransferSettings(), http: HTTPSettings(version: "test"))
        #expect(!client.isStopped())
        board.close()
        let start = MonotonicClock.seconds
        #expect(throws: RegistryError.self) { try client.blobRequest(of: image, Digest.of([])) }
        #expect(MonotonicClock.seconds - start < 10)
    }

    @Test("an answer that nobody wants any more is not waited for, though the server says nothing")
    func stalled() throws {
        let silent = try SilentServer()
        let endpoint = try #require(RegistriesConfiguration().endpoints(of: "127.0.0.1:\(silent.port)").first)
        let client = RegistryClient(
            endpoint, settings: HTTPSettings(version: "test"),
            credentials: CredentialSource(environment: [:]), retry: RetryPolicy(retries: 3))
        let start = MonotonicClock.seconds
        client.isStopped = { MonotonicClock.seconds - start > 0.3 }
        #expect(throws: RegistryError.self) {
            try client.digest(of: Reference("127.0.0.1:\(silent.port)/app"))
        }
        #expect(MonotonicClock.seconds - start < 8)
    }

    @Test("a mirror that stops to answer costs its patience once, not for each layer")
    func deafMirror() throws {
        let front = try Front(sizes: [100_000, 110_000, 120_000, 130_000])
        let origin = try front.reference("plain")
        let registries = RegistriesConfiguration(
            entries: [origin.registry: .init(mirrors: ["127.0.0.1:\(front.ports[1])/deaf"])])
        var puller = makePuller(["CD_DOWNLOAD_WORKERS": "1"], registries: registries)
        puller.http.silence = 1
        try puller.fetch(origin, for: platform, in: makeStore(front.scratch))
        let asked = try front.requests().filter {
            String($0.port) == front.ports[1] && $0.path.contains("/blobs/")
        }
        // The configuration, twice the first layer, and the next one while the first waited for its second try.
        #expect(asked.count <= 4, "\(asked.map(\.path))")
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

/// A server that takes connections and never says a word.
private final class SilentServer {
    let port: UInt16
    private let socket: FileDescriptor

    init() throws {
        let raw = try syscall("socket") { Libc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        socket = FileDescriptor(adopting: raw)
        try withUnsafeMutablePointer(to: &address) { pointer throws(SystemError) in
            let generic = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            try syscall("bind") { bind(raw, generic, length) }
            try syscall("listen") { listen(raw, 8) }
            try syscall("getsockname") { getsockname(raw, generic, &length) }
        }
        port = UInt16(bigEndian: address.sin_port)
    }
}
