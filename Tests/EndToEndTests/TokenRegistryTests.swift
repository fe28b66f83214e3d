import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "install from a registry with tokens", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("python3", "base64"))
struct TokenRegistryTests {
    /// Where a password may come from.
    enum Source: CaseIterable, Sendable {
        case environment, dockerConfig, containersAuth, helper

        /// Puts the credentials there.
        func offer(_ credentials: String, for registry: String, to program: inout Program) throws {
            let directory = Scratch.path / "credentials"
            try Run.succeeding("mkdir", ["-p", directory.rawValue])
            let encoded = try Run.succeeding("base64", ["-w0"], input: Array(credentials.utf8))
            let file = #"{"auths":{"\#(registry)":{"auth":"\#(encoded)"}}}"#
            switch self {
            case .environment: program.environment["CD_DOCKER_AUTH"] = credentials
            case .dockerConfig:
                try TestImage.write(file, to: directory / "config.json")
                program.environment["DOCKER_CONFIG"] = directory.rawValue
            case .containersAuth:
                try Run.succeeding("mkdir", ["-p", (directory / "containers").rawValue])
                try TestImage.write(file, to: directory / "containers/auth.json")
                program.environment["XDG_RUNTIME_DIR"] = directory.rawValue
            case .helper:
                let words = credentials.split(separator: ":")
                try TestImage.write(
                    #"{"credHelpers":{"\#(registry)":"scripted"}}"#, to: directory / "config.json")
                try TestImage.write(
                    """
                    #!/bin/sh
                    [ "$1 $(cat)" = "get \(registry)" ] || exit 1
                    echo '{"ServerURL":"\(registry)","Username":"\(words[0])","Secret":"\(words[1])"}'

                    """, to: directory / "docker-credential-scripted")
                try Run.succeeding("chmod", ["755", (directory / "docker-credential-scripted").rawValue])
                program.environment["DOCKER_CONFIG"] = directory.rawValue
                program.environment["PATH"]? += ":\(directory)"
            }
        }
    }

    @Test("shows the password to the token server and to nobody else", arguments: Source.allCases)
    func right(_ source: Source) throws {
        var program = Program()
        let noise = (0..<2_000_000).map { _ in UInt8.random(in: 0 ... .max) }
        let image = try BusyboxImage.layout(in: Scratch.path) { $0.add("srv/noise", content: noise) }
        let encoded = try Run.succeeding("base64", ["-w0"], input: Array(Front.credentials.utf8))
        try Front.with(image.layout, in: Scratch.path) { front in
            try source.offer(Front.credentials, for: front.addresses[2], to: &program)
            let process = try program.start("install", front.reference("slow"), "--name", "box")
            var looks = 0
            while try !front.requests().contains(where: { $0.contains("/blobs/") }) || looks < 20 {
                for secret in [Front.credentials, encoded] { #expect(Processes.withArgument(secret).isEmpty) }
                looks += 1
                guard looks < 2000 else { break }
            }
            let outcome = try process.finish()
            #expect(outcome.status == .success, "\(outcome.stderr)")
            for secret in ["secret", encoded] { #expect(!(outcome.stdout + outcome.stderr).contains(secret)) }
            for request in try front.requests() {
                #expect(request.contains(encoded) == request.contains("\"/token"), "\(request)")
            }
        }
        #expect(try program.names() == ["box"])
    }

    @Test("names where a wrong password comes from, and not the password", arguments: Source.allCases)
    func wrong(_ source: Source) throws {
        var program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Front.with(image.layout, in: Scratch.path) { front in
            try source.offer("user:mistaken", for: front.addresses[2], to: &program)
            let origin =
                switch source {
                case .environment: "CD_DOCKER_AUTH"
                case .dockerConfig: "config.json"
                case .containersAuth: "auth.json"
                case .helper: "docker-credential-scripted"
                }
            let outcome = try program.refuse(
                "install", front.reference(), naming: [front.addresses[2], origin])
            #expect(!outcome.stderr.contains("mistaken"))
        }
    }

    @Test("says that credentials do not open an image, or that there is none")
    func denied() throws {
        var program = Program()
        program.environment["CD_DOCKER_AUTH"] = Front.credentials
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Front.with(image.layout, in: Scratch.path) { front in
            try program.refuse("install", front.reference("denied"), naming: ["denied/app", "credentials"])
            try program.refuse("install", front.reference("missing"), naming: ["missing/app"])
        }
    }
}
