import FoundationEssentials
import Libc
import Platform
import Testing

@testable import OCI

/// The misbehaving registry of `Tests/Support/registry_front.py`, with an image of three layers.
final class Front {
    struct Request: Decodable {
        var method: String
        var path: String
        var port: Int
        var authorization: String?
        var range: String?
        var if_range: String?
        var content_range: String?
        var agent: String?
        var form: String?
    }

    let scratch: Scratch
    /// Open to everybody; another host; one that wants a token.
    let ports: [String]
    private let process: Background

    init(sizes: [Int] = [2000, 1_500_000, 3000], type: MediaType = .ociLayer) throws {
        scratch = try Scratch()
        try putImage(makeStore(scratch, "served"), as: "app", sizes: sizes, type: type)
        let script = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        process = try Background([
            "python3", "/\(script)/Support/registry_front.py", "\(scratch.path)/served",
            "\(scratch.path)/log",
        ])
        ports = try process.line().split(separator: " ").map(String.init)
        guard ports.count == 3 else { throw SystemError("python3", ports.joined(), code: ENOENT) }
    }

    func reference(_ mode: String, port: Int = 0) throws -> Reference {
        try Reference("127.0.0.1:\(ports[port])/\(mode)/app:latest")
    }

    func requests() throws -> [Request] {
        guard scratch.has("log") else { return [] }
        return try scratch.read("log").split(separator: "\n").map {
            try JSON.decode(Request.self, from: Array($0.utf8), name: "log")
        }
    }

    static let isPossible = isInstalled("python3")
}
