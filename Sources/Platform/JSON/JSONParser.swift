/// Reads a JSON text (RFC 8259), strictly: UTF-8 without a byte order mark, nothing before or behind the value.
///
/// What a stranger wrote is read as any other: nesting is limited, and time and memory grow with the text only.
package struct JSONParser {
    /// A text that is not JSON.
    package struct Malformed: Error, Hashable {
        /// Where it was noticed, in bytes.
        package let offset: Int

        package init(offset: Int) { self.offset = offset }
    }

    /// Arrays and objects within each other.
    package static let depthLimit = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0
    private var depth = 0
    private let depthLimit: Int

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    package static func parse(
        _ bytes: [UInt8], depthLimit: Int = depthLimit
    ) throws(Malformed) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(Malformed) in
                var parser = JSONParser(buffer, depthLimit)
                return try parser.document()
            }
        }
        return try result.get()
    }

    private mutating func document() throws(Malformed) -> JSONValue {
        let value = try value()
        skipSpace()
        guard offset == bytes.count else { throw malformed }
        return value
    }

    private var malformed: Malformed { Malformed(offset: offset) }
    /// The byte that is next; 0, which is nothing that JSON has, at the end.
    private var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skipSpace() {
        while offset < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[offset]) { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func value() throws(Malformed) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try nested { parser throws(Malformed) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(Malformed) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(Malformed) -> JSONValue
    ) throws(Malformed) -> JSONValue {
        guard depth < depthLimit else { throw malformed }
        depth += 1
        offset += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[index]) else { throw malformed }
        }
        return value
    }

    private mutating func array() throws(Malformed) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try value())
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed }
        return .array(elements)
    }

    private mutating func object() throws(Malformed) -> JSONValue {
        var members: [JSONValue.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed }
            members.append(JSONValue.Member(name, try value()))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed }
        return .object(members)
    }

    // MARK: - Numbers

    private mutating func digits() throws(Malformed) {
        let start = offset
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { offset += 1 }
        guard offset > start else { throw malformed }
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        return .number(text)
    }

    // MARK: - Strings

    private mutating func string() throws(Malformed) -> String {
        guard take(UInt8(ascii: "\"")) else { throw malformed }
        var decoded: [UInt8] = []
        var isEscaped = false
        var start = offset
        while true {
            guard offset < bytes.count, bytes[offset] >= 0x20 else { throw malformed }
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") { break }
            guard byte == UInt8(ascii: "\\") else { continue }
            isEscaped = true
            decoded += bytes[start..<offset - 1]
            try escape(into: &decoded)
            start = offset
        }
        let rest = bytes[start..<offset - 1]
        let text =
            isEscaped
            ? String(validating: decoded + rest, as: UTF8.self) : String(validating: rest, as: UTF8.self)
        guard let text else { throw malformed }
        return text
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(Malformed) {
        let byte = next
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0c)
        case UInt8(ascii: "n"): decoded.append(0x0a)
        case UInt8(ascii: "r"): decoded.append(0x0d)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = Unicode.Scalar(try codePoint()) else { throw malformed }
            decoded.append(contentsOf: String(scalar).utf8)
        default: throw malformed
        }
    }

    /// What stands behind `\u`; two of them for what UTF-16 needs two units for.
    private mutating func codePoint() throws(Malformed) -> UInt32 {
        let first = try unit()
        guard (0xd800..<0xdc00).contains(first) else { return first }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw malformed }
        let second = try unit()
        guard (0xdc00..<0xe000).contains(second) else { throw malformed }
        return 0x1_0000 + (first - 0xd800) << 10 + (second - 0xdc00)
    }

    private mutating func unit() throws(Malformed) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(next)).hexDigitValue, next < 0x80 else {
                throw malformed
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
