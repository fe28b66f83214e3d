/// A stranger's text made safe to print: control characters and broken UTF-8 are escaped as in C.
///
/// Backslash, newline, carriage return, tab and escape have their short forms; other controls, the C1 range,
/// bidirectional overrides and bytes that are not UTF-8 appear as `\xNN` or `\u{N}`.
package struct Quoted: CustomStringConvertible, Sendable {
    package let description: String

    package init(_ text: String) { self.init(bytes: text.utf8) }

    package init(_ path: HostPath) { self.init(path.rawValue) }

    package init(bytes: some Collection<UInt8>) {
        if bytes.allSatisfy({ (0x20...0x7e).contains($0) && $0 != 0x5c }) {
            description = String(decoding: bytes, as: UTF8.self)
            return
        }
        var result = ""
        var rest = Array(bytes)[...]
        while let first = rest.first {
            let length = Self.sequenceLength(rest)
            guard length > 0 else {
                result += Self.hexadecimal(first)
                rest = rest.dropFirst()
                continue
            }
            for scalar in String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars {
                result += Self.escape(scalar)
            }
            rest = rest.dropFirst(length)
        }
        description = result
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x5c: "\\\\"
        case 0x0a: "\\n"
        case 0x0d: "\\r"
        case 0x09: "\\t"
        case 0x1b: "\\e"
        case 0..<0x20, 0x7f: hexadecimal(UInt8(scalar.value))
        case _ where scalar.misleadsTerminals: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }

    /// How many bytes the valid UTF-8 sequence at the start has; 0 when there is none.
    private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        let length =
            switch first {
            case 0..<0x80: 1
            case 0xc2..<0xe0: 2
            case 0xe0..<0xf0: 3
            case 0xf0..<0xf5: 4
            default: 0
            }
        guard length > 0, bytes.count >= length else { return 0 }
        return String(validating: bytes.prefix(length), as: UTF8.self) == nil ? 0 : length
    }
}
