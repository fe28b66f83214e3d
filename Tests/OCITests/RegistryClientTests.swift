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
