import Libc
import Platform
import Testing

@testable import OCI

@Suite("CredentialSource") struct CredentialSourceTests {
    // "user:secret" and "deep:secret" in base64.
    static let user = "dXNlcjpzZWNyZXQ="
    static let deep = "ZGVlcDpzZWNyZXQ="

    private func user(_ found: CredentialSource.Found?) -> String? {
        guard case .password(let user, _) = found?.credential else { return nil }
        return user
    }

    @Test("the environment comes first, and needs its colon")
    func environment() throws {
        let both = CredentialSource(environment: ["CD_DOCKER_AUTH": "cd:x:y", "PD_DOCKER_AUTH": "pd:z"])
        #expect(
            try both.find(registry: "r.io", repository: "a")?.credential
                == .password(user: "cd", Secret("x:y")))
        #expect(throws: RegistryError.self) {
            try CredentialSource(environment: ["PD_DOCKER_AUTH": "nocolon"]).find(
                registry: "r.io", repository: "a")
        }
        #expect(try both.find(registry: "m.io", repository: "a", isMirror: true) == nil)
    }

    @Test("docker's and podman's files are read, and the longest key wins")
    func files() throws {
        let scratch = try Scratch()
        try scratch.write(
            "config.json",
            """
            {"auths": {"https://index.docker.io/v1/": {"auth": "\(Self.user)"}, "r.io": {"auth": "\(Self.user)"},
             "r.io/deep": {"auth": "\(Self.deep)"}}}
            """)
        try scratch.write("auth.json", #"{"auths": {"p.io": {"auth": "\#(Self.user)"}}}"#)
        let source = CredentialSource(environment: [
            "DOCKER_CONFIG": scratch.path, "REGISTRY_AUTH_FILE": "\(scratch.path)/auth.json",
        ])
        #expect(user(try source.find(registry: "docker.io", repository: "library/alpine")) == "user")
        #expect(user(try source.find(registry: "r.io", repository: "deep/app")) == "deep")
        #expect(user(try source.find(registry: "r.io", repository: "deeper/app")) == "user")
        #expect(user(try source.find(registry: "p.io", repository: "app")) == "user")
        #expect(try source.find(registry: "other.io", repository: "app") == nil)
    }

    @Test("a helper is asked by standard input; one that is missing has nothing")
    func helpers() throws {
        let scratch = try Scratch()
        try scratch.write(
            "config.json", #"{"credHelpers": {"r.io": "test", "i.io": "test"}, "credsStore": "missing"}"#)
        try scratch.writeProgram(
            "docker-credential-test",
            """
            #!/bin/sh
            read -r host
            case $host in
            r.io) echo "{\\"Username\\": \\"helped\\", \\"Secret\\": \\"s\\"}" ;;
            i.io) echo '{"Username": "<token>", "Secret": "t"}' ;;
            esac
            """)
        let source = CredentialSource(environment: [
            "DOCKER_CONFIG": scratch.path, "PATH": "\(scratch.path):/usr/bin:/bin",
        ])
        #expect(user(try source.find(registry: "r.io", repository: "a")) == "helped")
        #expect(try source.find(registry: "i.io", repository: "a")?.credential == .identity(Secret("t")))
        #expect(try source.find(registry: "x.io", repository: "a") == nil)
    }

    @Test(
        "a helper of somebody in whose name this process is root runs as that user, with nothing of root's",
        .enabled(if: geteuid() == 0, "needs root"))
    func helperOwner() throws {
        let scratch = try Scratch()
        try scratch.write("config.json", #"{"credsStore": "who"}"#)
        try scratch.writeProgram(
            "docker-credential-who",
            """
            #!/bin/sh
            echo "{\\"Username\\": \\"$(id -u)/$(id -g)/$(id -G)/$USER/$HOME\\", \\"Secret\\": \\"s\\"}"
            """)
        chmod(scratch.path, 0o755)
        let environment = [
            "DOCKER_CONFIG": scratch.path, "PATH": "\(scratch.path):/usr/bin:/bin", "HOME": "/home/caller",
            "USER": "root",
        ]
        let owner = CredentialSource.Owner(Spawn.Identity(user: 65533, group: 65532), name: "caller")
        let source = CredentialSource(environment: environment, owner: owner)
        #expect(
            user(try source.find(registry: "r.io", repository: "a"))
                == "65533/65532/65532/caller//home/caller")
        let own = CredentialSource(environment: environment)
        #expect(user(try own.find(registry: "r.io", repository: "a"))?.hasPrefix("0/0/") == true)
    }

    @Test("a helper that never answers is not waited for")
    func silentHelper() throws {
        let scratch = try Scratch()
        try scratch.writeProgram("docker-credential-silent", "#!/bin/sh\nexec sleep 30\n")
        let helper = CredentialHelper(name: "silent", patience: .milliseconds(300))
        let start = MonotonicClock.seconds
        #expect(throws: Spawn.CaptureFailure.self) {
            try helper.get("r.io", environment: ["PATH": "\(scratch.path):/usr/bin:/bin"])
        }
        #expect(MonotonicClock.seconds - start < 15)
    }

    @Test("a secret never prints")
    func secrets() {
        let credential = Credential.password(user: "user", Secret("hidden"))
        #expect(!"\(credential)".contains("hidden"))
        #expect(!String(reflecting: credential).contains("hidden"))
        var dumped = ""
        dump(credential, to: &dumped)
        #expect(!dumped.contains("hidden"))
    }
}

@Suite("Challenge") struct ChallengeTests {
    @Test("several challenges, quotes and commas are told apart")
    func parses() {
        let parsed = Challenge.parse(
            #"Negotiate abc==, Bearer realm="https://a.b/t?x=1,2",service=reg , scope="r:\"q\"", BASIC realm=x"#
        )
        #expect(
            parsed.map(\.scheme) == ["negotiate", "bearer", "basic"]
                || parsed.map(\.scheme).contains("bearer"))
        let bearer = parsed.first { $0.scheme == "bearer" }
        #expect(bearer?.parameters["realm"] == "https://a.b/t?x=1,2")
        #expect(bearer?.parameters["service"] == "reg")
        #expect(bearer?.parameters["scope"] == #"r:"q""#)
        #expect(parsed.contains { $0.scheme == "basic" })
    }

    @Test("nonsense ends", arguments: ["", ",,,", "=", "Bearer =", "\"", "Bearer realm=\"", "a=b=c=d"])
    func nonsense(header: String) {
        #expect(Challenge.parse(header).allSatisfy { $0.parameters["realm"] ?? "" == "" })
    }
}

@Suite("WebURL") struct WebURLTests {
    @Test(
        "what cannot be trusted to mean one host is refused",
        arguments: [
            "ftp://a", "http://user@host/", "http://", "//a", "http://a b", "file:///etc", "http://a:0/",
            "http://a:x/",
        ])
    func refused(text: String) { #expect(WebURL(text) == nil) }

    @Test("this machine is known by its names")
    func loopback() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] { #expect(WebURL.isLoopback(host)) }
        for host in ["127.0.0.1.evil.io", "127.example.com", "128.0.0.1", "localhost.io"] {
            #expect(!WebURL.isLoopback(host))
        }
    }

    @Test("an open server cannot follow a closed one, and proof stays at its origin")
    func redirects() throws {
        var head = HTTPHead()
        head.redirect = WebURL("http://a.io/x")
        let secure = HTTPRequest(url: try #require(WebURL("https://a.io/")), authorization: Secret("s"))
        #expect(throws: RegistryError.downgrade(from: "a.io", to: "a.io")) {
            try RegistryClient.redirected(secure, head)
        }
        head.redirect = WebURL("https://a.io:8443/x")
        #expect(try RegistryClient.redirected(secure, head).authorization == nil)
        head.redirect = WebURL("https://a.io/y")
        #expect(try RegistryClient.redirected(secure, head).authorization == Secret("s"))
    }

    /// A registry that is trusted blindly, with a neighbour that has a CA of its own and one that may be open.
    private func insecure() throws -> RegistryEndpoint {
        let registries = RegistriesConfiguration(entries: [
            "r.io": .init(insecure: true, ca: "/r.pem"), "ca.io": .init(ca: "/ca.pem"),
            "open.io:80": .init(insecure: true), "open.io": .init(insecure: true),
        ])
        return try #require(registries.endpoints(of: "r.io").first)
    }

    @Test(
        "what is allowed to one registry says nothing about another host, to which it leads",
        arguments: [
            ("https://r.io:5001/x", false, "/r.pem"), ("https://evil.io/x", true, nil),
            ("https://ca.io/x", true, "/ca.pem"), ("https://open.io/x", false, nil),
        ] as [(String, Bool, String?)])
    func trustOfOthers(_ text: String, _ verifies: Bool, _ ca: String?) throws {
        let endpoint = try insecure()
        let url = try #require(WebURL(text))
        var head = HTTPHead()
        head.redirect = url
        let first = HTTPRequest(
            url: try #require(WebURL("https://r.io/")), trust: HTTPTrust(verifies: false, caFile: "/r.pem"))
        let next = try RegistryClient.redirected(first, head, trust: endpoint.trust)
        #expect(next.trust == HTTPTrust(verifies: verifies, caFile: ca))
        let client = RegistryClient(
            endpoint, settings: HTTPSettings(version: "test"),
            credentials: CredentialSource(environment: [:]), retry: RetryPolicy(retries: 0))
        let challenge = Challenge(scheme: "bearer", parameters: ["realm": text])
        #expect(try client.tokenRequest(challenge, [], nil).trust == next.trust)
    }

    @Test("a password goes in the open only to hosts that are allowed that")
    func openRealm() throws {
        let client = RegistryClient(
            try insecure(), settings: HTTPSettings(version: "test"),
            credentials: CredentialSource(environment: [:]), retry: RetryPolicy(retries: 0))
        let credential = Credential.password(user: "u", Secret("p"))
        for (realm, isAllowed) in [
            ("http://r.io/token", true), ("http://evil.io/token", false), ("http://ca.io/token", false),
            ("http://open.io/token", true),
        ] {
            let challenge = Challenge(scheme: "bearer", parameters: ["realm": realm])
            let request = Result { try client.tokenRequest(challenge, [], credential) }
            #expect(((try? request.get()) != nil) == isAllowed, "\(realm)")
        }
    }

    @Test("a refresh token is not sent on to another server")
    func redirectedBody() throws {
        var head = HTTPHead()
        let url = try #require(WebURL("https://a.io/token"))
        let request = HTTPRequest(method: "POST", url: url, body: Array("refresh_token=t".utf8))
        head.redirect = WebURL("https://b.io/token")
        #expect(throws: RegistryError.badRedirect(host: "a.io")) {
            try RegistryClient.redirected(request, head) { _ in HTTPTrust(verifies: false) }
        }
        head.redirect = WebURL("https://a.io/other")
        #expect(try RegistryClient.redirected(request, head).body == request.body)
    }
}

@Suite("TransferSettings") struct TransferSettingsTests {
    @Test(
        "numbers are clamped and nonsense counts as not set",
        arguments: [
            ("0", 1), ("99", 10), ("x", 4), ("3", 3), ("-5", 1),
        ])
    func workers(text: String, count: Int) {
        #expect(TransferSettings(environment: ["CD_DOWNLOAD_WORKERS": text]).workers == count)
    }

    @Test(
        "rates have suffixes",
        arguments: [
            ("5M", 5 << 20), ("1k", 1024), ("2G", 2 << 30), ("100", 100), ("0", nil), ("M", nil), ("5X", nil),
            ("-1", nil),
        ])
    func rates(text: String, rate: Int?) {
        #expect(TransferSettings(environment: ["CD_DOWNLOAD_RATE_LIMIT": text]).rateLimit == rate)
    }

    @Test(
        "downloads begin one after the other, and all soon",
        arguments: [(-1, 1), (0, 1), (0.09, 1), (0.1, 2), (0.35, 4), (60, 4), (1e18, 4)])
    func growth(seconds: Double, count: Int) {
        #expect(TransferSettings(workers: 4).connections(after: seconds) == count)
    }
}
