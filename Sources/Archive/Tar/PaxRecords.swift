import Libc
import Platform

/// The records of pax extended headers (POSIX.1-2017, pax, "pax Extended Header").
///
/// Values are kept as bytes: attributes are binary, and names are whatever the writer's system had
/// (`hdrcharset=BINARY` only says so aloud).
struct PaxRecords {
    private var values: [String: [UInt8]] = [:]
    /// Attributes in their order of appearance: one format names them in its keys.
    private(set) var attributes: [TarEntry.Attribute] = []
    /// Where in `attributes` each name is.
    private var places: [RawString: Int] = [:]
    /// `GNU.sparse.offset` and `GNU.sparse.numbytes` of format 0.0, which repeat.
    private(set) var sparseNumbers: [Int64] = []

    var isEmpty: Bool { values.isEmpty && attributes.isEmpty }

    /// Bytes of all keys and values.
    var byteCount: Int {
        values.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
            + attributes.reduce(0) { $0 + $1.name.bytes.count + $1.value.count } + sparseNumbers.count * 8
    }

    /// Adds the records in `bytes`, which win over earlier ones; false when they are malformed.
    mutating func add(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let first = rest.first, first != 0 {
            guard let space = rest.prefix(12).firstIndex(of: UInt8(ascii: " ")),
                let length = Self.decimal(rest[rest.startIndex..<space]),
                length > space - rest.startIndex + 1, length <= rest.count,
                rest[rest.startIndex + Int(length) - 1] == UInt8(ascii: "\n")
            else { return false }
            let record = rest[(space + 1)..<(rest.startIndex + Int(length) - 1)]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")), equals > record.startIndex,
                add(record[..<equals], record[(equals + 1)...])
            else { return false }
            rest = rest.dropFirst(Int(length))
        }
        return true
    }

    private mutating func add(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        if key.starts(with: Self.schily) {
            return setAttribute(Self.gnuDecoded(key.dropFirst(Self.schily.count)), Array(value))
        }
        if key.starts(with: Self.libarchive) {
            guard let name = Self.percentDecoded(key.dropFirst(Self.libarchive.count)),
                let value = Self.base64Decoded(value)
            else { return false }
            // Its writers give the same attribute in the other form as well.
            if let name = RawString(bytes: name), places[name] != nil { return true }
            return setAttribute(name, value)
        }
        let key = String(decoding: key, as: UTF8.self)
        if key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes" {
            guard let number = Self.decimal(value), sparseNumbers.count < 2 * SparseMap.limit else {
                return false
            }
            sparseNumbers.append(number)
            return true
        }
        values[key] = Array(value)
        return true
    }

    private mutating func setAttribute(_ name: [UInt8], _ value: [UInt8]) -> Bool {
        guard !name.isEmpty, let name = RawString(bytes: name) else { return false }
        let attribute = TarEntry.Attribute(name, value)
        if let place = places[name] { attributes[place] = attribute } else { append(attribute) }
        return true
    }

    private mutating func append(_ attribute: TarEntry.Attribute) {
        places[attribute.name] = attributes.count
        attributes.append(attribute)
    }

    private static let schily = Array("SCHILY.xattr.".utf8)
    private static let libarchive = Array("LIBARCHIVE.xattr.".utf8)

    /// These records over `global` ones; an empty value here takes a global one back.
    func over(_ global: PaxRecords) -> PaxRecords {
        guard !global.isEmpty else { return self }
        var result = self
        result.values = global.values.merging(values) { $1 }
        for old in global.attributes where places[old.name] == nil { result.append(old) }
        return result
    }

    /// The value, unless there is none or an empty one.
    subscript(key: String) -> [UInt8]? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    // MARK: - Values

    /// A non-negative decimal number of at most 19 digits.
    static func decimal(_ digits: some Collection<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 19 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// Seconds since the epoch with a fraction, perhaps negative; out-of-range seconds become the nearest possible.
    static func time(_ text: [UInt8]) -> timespec? {
        let isNegative = text.first == UInt8(ascii: "-")
        let parts = text.dropFirst(isNegative ? 1 : 0)
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty || parts.count == 2, whole.count < 64 else {
            return nil
        }
        let isNumeric = parts.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) } }
        guard isNumeric else { return nil }
        let seconds =
            whole.isEmpty
            ? 0 : decimal(whole.drop { $0 == 0x30 }) ?? (whole.allSatisfy { $0 == 0x30 } ? 0 : .max)
        let fraction = parts.count == 2 ? Array(parts[1].prefix(9)) : []
        let nanoseconds = (fraction + [UInt8](repeating: 0x30, count: 9 - fraction.count))
            .reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard isNegative else { return timespec(tv_sec: Int(seconds), tv_nsec: nanoseconds) }
        return nanoseconds == 0
            ? timespec(tv_sec: -Int(seconds), tv_nsec: 0)
            : timespec(tv_sec: -Int(seconds) - 1, tv_nsec: 1_000_000_000 - nanoseconds)
    }

    /// GNU tar's keys have `%3D` for the sign that ends a key, and `%25` for the one that this takes (xattrs.c).
    static func gnuEncoded(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "="): Array("%3D".utf8)
            case UInt8(ascii: "%"): Array("%25".utf8)
            default: [byte]
            }
        }
    }

    private static func gnuDecoded(_ key: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = key
        while let byte = rest.first {
            let isCode = rest.starts(with: "%3D".utf8) || rest.starts(with: "%25".utf8)
            result.append(
                isCode ? (rest.starts(with: "%3".utf8) ? UInt8(ascii: "=") : UInt8(ascii: "%")) : byte)
            rest = rest.dropFirst(isCode ? 3 : 1)
        }
        return result
    }

    private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return result
    }

    /// RFC 4648, with or without padding.
    private static func base64Decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text where byte != UInt8(ascii: "=") {
            guard let index = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(index)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
