import Libc
import Platform

/// Debian's `docker-registry` on a port of the loopback interface that the kernel has chosen.
package struct Registry {
    /// Host and port, as an image reference starts.
    package let address: String
    /// The file that the registry writes its log to: one line per request.
    package let log: HostPath

    /// A user that the registry asks for.
    package static let user = "tester"
    package static let password = "s3cr:t pass"

    /// Starts a registry that keeps its data in `directory`, runs `body` and stops it.
    ///
    /// With `asksForPassword` it wants `user` and `password` by basic authentication.
    @discardableResult
    package static func with<Result>(
        in directory: HostPath, asksForPassword: Bool = false, _ body: (Registry) throws -> Result
    ) throws -> Result {
        let home = directory / "registry-\(UInt32.random(in: 0 ... .max))"
        try Run.succeeding("mkdir", ["-p", (home / "data").rawValue])
        if asksForPassword {
            let line = try Run.succeeding("htpasswd", ["-Bbn", "-C", "4", user, password])
            try TestImage.write(line, to: home / "htpasswd")
        }
        try TestImage.write(settings(home, asksForPassword), to: home / "config.yml")
        let log = home / "log"
        let process = try Running.start(
            "/bin/sh",
            [
                "-c", "exec docker-registry serve \"$1\" >\"$2\" 2>&1", "sh",
                (home / "config.yml").rawValue, log.rawValue,
            ])
        var port: Int?
        try Waiting.require("docker-registry listens") {
            port = (try? Run.succeeding("cat", [log.rawValue])).flatMap(Self.port(in:))
            return port != nil
        }
        let result = try body(Registry(address: "localhost:\(port ?? 0)", log: log))
        process.signal(SIGTERM)
        _ = try process.finish(timeout: 30)
        return result
    }

    /// The port that a registry says it listens on in its log.
    package static func port(in log: String) -> Int? {
        guard let start = log.firstRange(of: "listening on 127.0.0.1:") else { return nil }
        let digits = log[start.upperBound...].prefix { $0.isNumber }
        // A line that is only half there has no end of the number.
        return digits.endIndex == log.endIndex ? nil : Int(digits)
    }

    /// Copies an image from an OCI layout into the registry with `skopeo`.
    package func push(_ layout: HostPath, tag: String = "latest", as reference: String) throws {
        try Run.succeeding(
            "skopeo",
            [
                "copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", "\(Self.user):\(Self.password)",
                "oci:\(layout.rawValue):\(tag)", "docker://\(address)/\(reference)",
            ])
    }

    private static func settings(_ home: HostPath, _ asksForPassword: Bool) -> String {
        let authentication =
            asksForPassword
            ? "auth:\n  htpasswd:\n    realm: test\n    path: \((home / "htpasswd").rawValue)\n" : ""
        return """
            version: 0.1
            log:
              level: info
            storage:
              filesystem:
                rootdirectory: \((home / "data").rawValue)
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:0
            \(authentication)
            """
    }

    /// An address on which nobody listens, nor will: it takes root's doing, and is nothing that the kernel chooses.
    package static let nobody = "localhost:1"
}
