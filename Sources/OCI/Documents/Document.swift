import Platform

/// A JSON document, with the very bytes that its digest names.
package struct Document<Value: Decodable> {
    package let bytes: [UInt8]
    package let value: Value
    package let digest: Digest

    /// Reads `bytes`, which nobody has named yet; `name` stands in the error.
    package init(_ bytes: [UInt8], name: String) throws {
        self.bytes = bytes
        digest = try Digest.of(bytes)
        value = try JSON.decode(Value.self, from: bytes, name: name)
    }

    /// Reads `bytes` after checking that they are what `descriptor` names, to the byte.
    package init(_ bytes: [UInt8], for descriptor: Descriptor, name: String) throws {
        guard bytes.count == descriptor.size else {
            throw BlobError.wrongSize(
                descriptor.digest, expected: descriptor.size, actual: Int64(bytes.count))
        }
        let actual = try Digest.of(bytes, descriptor.digest.algorithm)
        guard actual == descriptor.digest else {
            throw BlobError.wrongDigest(descriptor.digest, actual: actual)
        }
        self.bytes = bytes
        digest = descriptor.digest
        value = try JSON.decode(Value.self, from: bytes, name: name)
    }
}

extension Document: Sendable where Value: Sendable {}

/// The most bytes that a manifest, an index or a config may have.
package let documentLimit = 16 << 20

/// How this module reads and writes JSON.
package enum JSON {
    /// Reads a document; an error names it and the field that is wrong.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], name: String
    ) throws(DocumentError) -> Value {
        guard bytes.count <= documentLimit else { throw .tooLarge(name) }
        do {
            return try JSONDecoder(depthLimit: depthLimit).decode(type, from: bytes)
        } catch {
            throw .malformed(name, problem: problem(in: error))
        }
    }

    /// Arrays and objects within each other: fewer than where a document becomes a part of another one.
    static let depthLimit = 128

    /// Keys in order and slashes as they are, so that equal values make equal bytes.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        try JSONEncoder().encode(value)
    }

    private static func problem(in error: any Error) -> String {
        switch error as? DecodingError {
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context.codingPath)) is of the wrong type"
        case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(path(context.codingPath)): \(Quoted(context.debugDescription))"
        default: "it is not JSON"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        guard !keys.isEmpty else { return "the document" }
        let text = keys.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return Quoted(text.hasPrefix(".") ? String(text.dropFirst()) : text).description
    }
}

/// A document that cannot be used.
package enum DocumentError: UserFacing, Hashable {
    case malformed(String, problem: String)
    case tooLarge(String)
    /// Another kind of document than images have.
    case wrongKind(String, mediaType: String)
    case tooDeep(String)
    case layerCount(String, layers: Int, diffIDs: Int)
    case tooManyLayers(String, layers: Int)

    package var message: String {
        switch self {
        case .malformed(let name, let problem): "\(Quoted(name)) is malformed: \(problem)"
        case .tooLarge(let name):
            "\(Quoted(name)) has more than \(documentLimit >> 20) MiB, which no image needs"
        case .wrongKind(let name, let type): "\(Quoted(name)) is not an image: its type is \(Quoted(type))"
        case .tooDeep(let name): "\(Quoted(name)) is an index of indexes of indexes, too deep to follow"
        case .layerCount(let name, let layers, let diffIDs):
            "\(Quoted(name)) has \(layers) layers, but its config speaks of \(diffIDs)"
        case .tooManyLayers(let name, let layers):
            "\(Quoted(name)) has \(layers) layers; more than \(Manifest.layerLimit) are not accepted"
        }
    }

    package var hint: String? {
        switch self {
        case .wrongKind(_, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
            .wrongKind(_, "application/vnd.docker.distribution.manifest.v1+json"):
            "It was pushed in Docker's first format, which is no longer in use; push it again with a newer tool."
        default: nil
        }
    }
}
