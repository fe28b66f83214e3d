import Libc
import Platform

/// The registry of `registry_front.py`, which hands out tokens and misbehaves on request, with one image.
package struct Front {
    /// The credentials that its token server takes, as `user:password`.
    package static let credentials = "user:secret"

    /// Host and port of the registry that is open, of another host, and of the one that wants a token.
    package let addresses: [String]
    private let log: HostPath

    /// Serves the first image of `layout` while `body` runs.
    package static func with<Result>(
        _ layout: HostPath, in directory: HostPath, _ body: (Front) throws -> Result
    ) throws -> Result {
        let script = HostPath(#filePath).parent / "registry_front.py"
        let log = directory / "front-\(UInt32.random(in: 0 ... .max)).log"
        let process = try Running.start("python3", [script.rawValue, layout.rawValue, log.rawValue])
        let ports = try process.read(until: "\n").split { $0 == " " || $0 == "\n" }
        guard ports.count == 3 else { throw Run.Failure(description: "the front does not start") }
        let result = try body(Front(addresses: ports.map { "127.0.0.1:\($0)" }, log: log))
        process.signal(SIGTERM)
        _ = try process.finish()
        return result
    }

    /// A registry's image that wants a token; `mode` is how the front behaves, such as `plain` or `slow`.
    package func reference(_ mode: String = "plain") -> String { "\(addresses[2])/\(mode)/app:latest" }

    /// One JSON line for each request so far.
    package func requests() throws -> [String] {
        try Run.shell("cat \"$1\" 2>/dev/null || true", log.rawValue).split(separator: "\n").map(String.init)
    }
}
