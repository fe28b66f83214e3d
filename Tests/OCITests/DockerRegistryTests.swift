import Libc
import Platform
import TestSupport
import Testing

@testable import OCI

private let platform = ImagePlatform(architecture: "amd64")
private let isPossible = isInstalled("docker-registry") && isInstalled("skopeo") && isInstalled("openssl")

/// Debian's docker-registry on a port that the kernel has chosen.
private final class DockerRegistry {
    let port: Int
    private let process: Background

    init(_ scratch: Scratch, _ more: String = "", tls: String = "") throws {
        try scratch.write(
            "registry.yml",
            """
            version: 0.1
            log: {level: info}
            storage: {filesystem: {rootdirectory: \(scratch.path)/registry}}
            http:
              addr: 127.0.0.1:0
            \(tls)
            \(more)
            """)
        process = try Background(
            ["sh", "-c", "exec docker-registry serve \"$0/registry.yml\" >\"$0/said\" 2>&1", scratch.path])
        var found: Int?
        try Waiting.require("docker-registry listens") {
            found = (try? scratch.read("said")).flatMap(Registry.port(in:))
            return found != nil
        }
        port = found ?? 0
    }
}

private func skopeo(_ arguments: String...) throws {
    let result = try run(["skopeo", "--insecure-policy"] + arguments)
    try #require(result.status == 0, "skopeo \(arguments): \(result.output)")
}

@Suite("With docker-registry and skopeo", .enabled(if: isPossible, "needs docker-registry, skopeo, openssl"))
struct DockerRegistryTests {
    @Test("what skopeo pushed arrives, and skopeo and umoci read the store")
    func exchange() throws {
        let scratch = try Scratch()
        let registry = try DockerRegistry(scratch)
        try putImage(makeStore(scratch, "made"), as: "app", sizes: [5000, 20_000])
        let name = "127.0.0.1:\(registry.port)/org/app"
        let made = "oci:\(scratch.path)/made:docker.io/library/app:latest"
        try skopeo("copy", "--dest-tls-verify=false", made, "docker://\(name):1")
        try skopeo("copy", "--dest-tls-verify=false", "--format", "v2s2", made, "docker://\(name):docker")
        let store = try makeStore(scratch)
        let oci = try makePuller().fetch(try Reference("\(name):1"), for: platform, in: store)
        #expect(oci.descriptor.mediaType == .ociManifest)
        let docker = try makePuller().fetch(try Reference("\(name):docker"), for: platform, in: store)
        #expect(docker.descriptor.mediaType == .dockerManifest)
        #expect(docker.config.value.platform == platform)
        let error = #expect(throws: RegistryError.self) {
            try makePuller().fetch(try Reference("\(name):2"), for: platform, in: store)
        }
        #expect(error == .notFound(image: "\(name):2"))
        try skopeo("inspect", "oci:\(scratch.path)/store:\(name):1")
        try skopeo("copy", "oci:\(scratch.path)/store:\(name):1", "dir:\(scratch.path)/copy")
        if isInstalled("umoci") {
            let list = try run(["umoci", "ls", "--layout", "\(scratch.path)/store"])
            #expect(list.status == 0 && list.output.contains("\(name):1"), "\(list.output)")
            let stat = try run(["umoci", "stat", "--image", "\(scratch.path)/store:\(name):1", "--json"])
            #expect(stat.status == 0, "\(stat.output)")
        }
    }

    @Test("of several platforms the right one is chosen, and the index stays whole")
    func platforms() throws {
        let scratch = try Scratch()
        let registry = try DockerRegistry(scratch)
        let made = try makeStore(scratch, "made")
        let names = ["linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7"]
        let entries = try names.enumerated().map {
            try putImage(made, as: "", sizes: [3000], platform: $0.element, seed: UInt64($0.offset + 1))
        }
        let index = try made.put(JSON.encode(ImageIndex(manifests: entries)), mediaType: .ociIndex)
        try made.tag(try Reference("app"), as: index)
        let name = "127.0.0.1:\(registry.port)/org/app:1"
        try skopeo(
            "copy", "--all", "--dest-tls-verify=false",
            "oci:\(scratch.path)/made:docker.io/library/app:latest",
            "docker://\(name)")
        let store = try makeStore(scratch)
        for (wanted, got) in [
            ("arm", "linux/arm/v7"), ("armv6l", "linux/arm/v6"), ("aarch64", "linux/arm64"),
        ] {
            let image = try makePuller().fetch(try Reference(name), for: ImagePlatform(wanted), in: store)
            #expect(image.platform.description == got)
            #expect(image.top.mediaType == .ociIndex)
        }
        try skopeo(
            "--override-arch", "arm64", "copy", "oci:\(scratch.path)/store:\(name)",
            "dir:\(scratch.path)/copy")
        let top = try #require(try store.find(Reference(name)))
        let pinned = try Reference(name).pinned(to: top.digest)
        #expect(
            try makePuller().fetch(pinned, for: ImagePlatform("arm64"), in: store).top.digest == top.digest)
    }

    @Test("a registry with passwords of its own opens to the right one only", .needsProgram("htpasswd"))
    func basicAuthentication() throws {
        let scratch = try Scratch()
        try run(["htpasswd", "-Bbc", "\(scratch.path)/htpasswd", "user", "secret"])
        let registry = try DockerRegistry(
            scratch, "auth: {htpasswd: {realm: test, path: \(scratch.path)/htpasswd}}")
        try putImage(makeStore(scratch, "made"), as: "app", sizes: [5000])
        let name = "127.0.0.1:\(registry.port)/app:1"
        try skopeo(
            "copy", "--dest-tls-verify=false", "--dest-creds=user:secret",
            "oci:\(scratch.path)/made:docker.io/library/app:latest", "docker://\(name)")
        let store = try makeStore(scratch)
        let anonymous = #expect(throws: RegistryError.self) {
            try makePuller().fetch(try Reference(name), for: platform, in: store)
        }
        #expect(anonymous?.message.contains("or it is private") == true)
        #expect(
            throws: RegistryError.wrongPassword(
                registry: "127.0.0.1:\(registry.port)", source: "CD_DOCKER_AUTH")
        ) {
            try makePuller(["CD_DOCKER_AUTH": "user:wrong"]).fetch(
                try Reference(name), for: platform, in: store)
        }
        try makePuller(["CD_DOCKER_AUTH": "user:secret"]).fetch(try Reference(name), for: platform, in: store)
    }

    @Test("a certificate that nobody vouches for is refused, unless it is named or insecurity is allowed")
    func certificates() throws {
        let scratch = try Scratch()
        let key = "\(scratch.path)/key.pem"
        let certificate = "\(scratch.path)/cert.pem"
        try run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
            "-days",
            "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:::ffff:127.0.0.1,IP:127.0.0.1",
        ])
        let registry = try DockerRegistry(scratch, tls: "  tls: {certificate: \(certificate), key: \(key)}")
        try putImage(makeStore(scratch, "made"), as: "app", sizes: [5000])
        try skopeo(
            "copy", "--dest-tls-verify=false", "oci:\(scratch.path)/made:docker.io/library/app:latest",
            "docker://127.0.0.1:\(registry.port)/app:1")
        // 127.0.0.1 in a spelling that does not count as this machine.
        let host = "[::ffff:7f00:1]:\(registry.port)"
        let image = try Reference("\(host)/app:1")
        let store = try makeStore(scratch)
        let error = #expect(throws: RegistryError.self) {
            try makePuller().fetch(image, for: platform, in: store)
        }
        guard case .untrusted = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let named = RegistriesConfiguration(entries: [host: .init(ca: certificate)])
        try makePuller(registries: named).fetch(image, for: platform, policy: .always, in: store)
        try makePuller(["SSL_CERT_FILE": certificate]).fetch(image, for: platform, policy: .always, in: store)
        try makePuller(registries: RegistriesConfiguration(allowsInsecure: true))
            .fetch(image, for: platform, policy: .always, in: store)
        // This machine needs no allowance, whatever it speaks.
        try makePuller().fetch(try Reference("127.0.0.1:\(registry.port)/app:1"), for: platform, in: store)
    }
}
