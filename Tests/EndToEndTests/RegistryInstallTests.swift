import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "install from a registry", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("docker-registry", "skopeo"))
struct RegistryInstallTests {
    @Test("pulls by tag and by digest, and works from its store when the registry has gone")
    func pull() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        let reference = try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "team/box:1")
            let reference = "\(registry.address)/team/box"
            try program.succeed("install", reference + ":1")
            #expect(try program.names() == ["box"])
            let digest = try Run.succeeding(
                "skopeo",
                ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://\(reference):1"])
            try program.succeed("install", "\(reference)@\(digest.dropLast())", "--name", "pinned")
            return reference
        }
        try program.succeed("install", reference + ":1", "--name", "offline")
        #expect(try program.inside("offline", "echo still here") == "still here")
        #expect(try program.names() == ["box", "offline", "pinned"])
    }

    @Test(
        "gives the registry the credentials of CD_DOCKER_AUTH or PD_DOCKER_AUTH", .needsProgram("htpasswd"),
        arguments: ["CD_DOCKER_AUTH", "PD_DOCKER_AUTH"])
    func credentials(_ variable: String) throws {
        var program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            try registry.push(image.layout, as: "box:1")
            try program.refuse(
                "install", "\(registry.address)/box:1", naming: [registry.address, "CD_DOCKER_AUTH"])
            program.environment[variable] = "\(Registry.user):\(Registry.password)"
            let outcome = try program.succeed("install", "\(registry.address)/box:1")
            #expect(!outcome.stderr.contains(Registry.password))
        }
        #expect(try program.names() == ["box"])
    }

    @Test("reads docker's config.json", .needsProgram("htpasswd", "base64"))
    func dockerConfig() throws {
        var program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            try registry.push(image.layout, as: "box:1")
            let secret = try Run.succeeding(
                "base64", ["-w0"], input: Array("\(Registry.user):\(Registry.password)".utf8))
            try TestImage.write(
                #"{"auths":{"\#(registry.address)":{"auth":"\#(secret)"}}}"#, to: Scratch.path / "config.json"
            )
            program.environment["DOCKER_CONFIG"] = Scratch.path.rawValue
            try program.succeed("install", "\(registry.address)/box:1")
        }
        #expect(try program.names() == ["box"])
    }

    @Test("says that there is no such image, or that it is private")
    func unknown() throws {
        try Registry.with(in: Scratch.path) { registry in
            try Program().refuse(
                "install", "\(registry.address)/nobody/nothing:9", naming: ["nobody/nothing", "private"])
        }
    }

    /// The file in which the registry keeps the blob with this many bytes, or the largest one.
    private static let largestBlob =
        "find \"$1\" -path '*/blobs/*' -name data -printf '%s %p\\n' | sort -n | tail -1 | cut -d ' ' -f 2-"

    @Test("refuses a layer whose bytes are not those of its digest")
    func wrongDigest() throws {
        let program = try Program.with("before")
        try program.forgetImages()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            try Run.shell(
                "f=$(\(Self.largestBlob)); printf XXXX | dd of=\"$f\" bs=1 seek=5000 conv=notrunc status=none",
                registry.log.parent.rawValue)
            try program.refuse("install", "\(registry.address)/box:1", naming: ["sha256:"])
        }
        #expect(try program.names() == ["before"])
    }

    @Test("refuses a layer that is shorter than the manifest says")
    func truncated() throws {
        let program = try Program.with("before")
        try program.forgetImages()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            try Run.shell("truncate -s -1000 \"$(\(Self.largestBlob))\"", registry.log.parent.rawValue)
            try program.refuse("install", "\(registry.address)/box:1", naming: ["sha256:"])
        }
        #expect(try program.names() == ["before"])
    }

    @Test("says that nobody answers")
    func noNetwork() throws {
        try Program().refuse("install", "\(Registry.nobody)/box:1", naming: [Registry.nobody])
    }

    @Test("passes on how long a rate limit lasts", .needsProgram("python3"))
    func rateLimit() throws {
        let script = """
            import http.server
            class Busy(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(429)
                    self.send_header("Retry-After", "3600")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                do_HEAD = do_GET
                def log_message(self, *words): pass
            server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        let server = try Running.start("python3", ["-c", script])
        let port = try server.read(until: "\n").dropLast()
        var program = Program()
        program.environment["CD_DOWNLOAD_MAX_RETRIES"] = "0"
        try program.refuse("install", "localhost:\(port)/box:1", naming: ["rate", "1 hour"])
        server.signal(SIGTERM)
        _ = try server.finish()
    }
}
