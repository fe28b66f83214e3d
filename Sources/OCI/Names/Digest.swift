/// The name of some content: a hash algorithm and the hash in lower-case hexadecimal.
///
/// Written `sha256:9f86…`; see the OCI image specification, descriptor.md, "Digests".
package struct Digest: Hashable, Sendable {
    /// The algorithms that the specification registers.
    package enum Algorithm: String, CaseIterable, Sendable {
        case sha256, sha512

        /// Digits that a hash has in hexadecimal.
        package var hexLength: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    package let algorithm: Algorithm
    package let hex: String

    package init(_ text: String) throws(DigestError) {
        guard let colon = text.firstIndex(of: ":") else { throw .malformed(text) }
        guard let algorithm = Algorithm(rawValue: String(text[..<colon])) else {
            throw .unknownAlgorithm(text)
        }
        let hex = text[text.index(after: colon)...]
        guard hex.utf8.count == algorithm.hexLength, hex.utf8.allSatisfy(Self.isHexDigit) else {
            throw .malformed(text)
        }
        self.algorithm = algorithm
        self.hex = String(hex)
    }

    /// Names content by the hash in `bytes`, of which there must be as many as the algorithm makes.
    init(_ algorithm: Algorithm, bytes: some Collection<UInt8>) {
        precondition(bytes.count * 2 == algorithm.hexLength, "a hash of \(algorithm) has its own length")
        let digits = Array("0123456789abcdef".utf8)
        self.algorithm = algorithm
        hex = String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// One path component that names the content, such as `sha256_9f86…`.
    package var fileName: String { "\(algorithm)_\(hex)" }

    /// The first twelve digits, which is what people compare.
    package var short: String { String(hex.prefix(12)) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension Digest: CustomStringConvertible {
    package var description: String { "\(algorithm):\(hex)" }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            try self.init(container.decode(String.self))
        } catch let error as DigestError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
