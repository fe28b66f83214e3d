/// How a server wants to be convinced (RFC 9110, WWW-Authenticate).
package struct Challenge: Hashable, Sendable {
    /// Lower-case, such as `bearer`.
    package let scheme: String
    package let parameters: [String: String]

    /// All challenges of a header, in their order; what is not well formed is left out.
    package static func parse(_ header: String) -> [Challenge] {
        var scanner = ChallengeScanner(rest: Array(header.utf8)[...])
        return scanner.scan()
    }
}

private struct ChallengeScanner {
    var rest: ArraySlice<UInt8>

    mutating func scan() -> [Challenge] {
        var result: [Challenge] = []
        var scheme: String?
        var parameters: [String: String] = [:]
        func flush() { if let scheme { result.append(Challenge(scheme: scheme, parameters: parameters)) } }
        while !rest.isEmpty {
            skip { $0 == UInt8(ascii: ",") || Self.isBlank($0) }
            let word = take { !Self.isBlank($0) && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ",") }
            guard !word.isEmpty else { break }
            skip(Self.isBlank)
            if rest.first == UInt8(ascii: "="), scheme != nil {
                rest = rest.dropFirst()
                skip(Self.isBlank)
                parameters[word.lowercased()] = value()
            } else {
                flush()
                scheme = word.lowercased()
                parameters = [:]
                // A scheme may be followed by one token instead of parameters; it is of no use here.
                while rest.first == UInt8(ascii: "=") { rest = rest.dropFirst() }
            }
        }
        flush()
        return result
    }

    private mutating func value() -> String {
        guard rest.first == UInt8(ascii: "\"") else {
            return take { !Self.isBlank($0) && $0 != UInt8(ascii: ",") }
        }
        rest = rest.dropFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            bytes.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private mutating func skip(_ belongs: (UInt8) -> Bool) { rest = rest.drop(while: belongs) }

    private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
        let word = rest.prefix(while: belongs)
        rest = rest.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }
}
