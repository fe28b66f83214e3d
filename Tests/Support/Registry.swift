import Libc
import Platform

/// Debian's `docker-registry` on a free port of the loopback interface.
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
        for _ in 0..<5 {
            let port = try freePort()
            try TestImage.write(settings(home, port: port, asksForPassword), to: home / "config.yml")
            let log = home / "log"
            let process = try Running.start(
                "/bin/sh",
                [
                    "-c", "exec docker-registry serve \"$1\" >\"$2\" 2>&1", "sh",
                    (home / "config.yml").rawValue, log.rawValue,
                ])
            if waitUntilListening(port) {
                let result = try body(Registry(address: "localhost:\(port)", log: log))
                process.signal(SIGTERM)
                _ = try process.finish(timeout: 30)
                return result
            }
        }
        throw Run.Failure(description: "docker-registry does not start")
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

    private static func settings(_ home: HostPath, port: UInt16, _ asksForPassword: Bool) -> String {
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
              addr: 127.0.0.1:\(port)
            \(authentication)
            """
    }

    /// A port that nobody listens on now.
    package static func freePort() throws -> UInt16 {
        let socket = FileDescriptor(
            adopting: try syscall("socket") { Libc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) })
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer throws(SystemError) in
            let generic = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            try syscall("bind") { bind(socket.rawValue, generic, length) }
            try syscall("getsockname") { getsockname(socket.rawValue, generic, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func waitUntilListening(_ port: UInt16) -> Bool {
        let deadline = Clock.now + 20
        while Clock.now < deadline {
            var address = loopback(port)
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(raw) }
            let result = withUnsafePointer(to: &address) { pointer in
                connect(
                    raw, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
            if result == 0 { return true }
            usleep(20_000)
        }
        return false
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
