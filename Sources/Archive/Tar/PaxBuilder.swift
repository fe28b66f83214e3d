import Libc
import Platform

/// The records of one pax extended header in the making.
struct PaxBuilder {
    private var records: [(key: [UInt8], value: [UInt8])] = []
    private var isBinary = false

    /// `isText` marks names, which readers expect in UTF-8 unless they are told otherwise.
    mutating func add(_ key: String, _ value: [UInt8], isText: Bool = false) {
        if isText, String(validating: value, as: UTF8.self) == nil { isBinary = true }
        let key = Array(key.utf8)
        records.removeAll { $0.key == key }
        records.append((key, value))
    }

    mutating func add(_ key: String, _ value: String) { add(key, Array(value.utf8)) }

    mutating func add(_ key: String, _ time: timespec) { add(key, Self.decimal(time)) }

    mutating func add(_ attribute: TarEntry.Attribute) {
        let key = Array("SCHILY.xattr.".utf8) + PaxRecords.gnuEncoded(attribute.name.bytes)
        records.append((key, attribute.value))
    }

    /// The records, or `nil` when there are none.
    consuming func finish() -> [UInt8]? {
        guard !records.isEmpty else { return nil }
        if isBinary { records.insert((Array("hdrcharset".utf8), Array("BINARY".utf8)), at: 0) }
        return records.flatMap { Self.record($0.key, $0.value) }
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = key.count + value.count + 3
        var length = rest + String(rest).utf8.count
        length = rest + String(length).utf8.count
        return Array("\(length) ".utf8) + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
    }

    private static func decimal(_ time: timespec) -> String {
        let isNegative = time.tv_sec < 0
        // -1.25 is second -2 and 750 ms.
        let borrows = isNegative && time.tv_nsec > 0
        let seconds = (borrows ? time.tv_sec + 1 : time.tv_sec).magnitude
        let nanoseconds = borrows ? 1_000_000_000 - time.tv_nsec : time.tv_nsec
        let sign = isNegative ? "-" : ""
        guard nanoseconds > 0 else { return "\(sign)\(seconds)" }
        let digits = String(nanoseconds)
        var fraction = Substring(String(repeating: "0", count: 9 - digits.count) + digits)
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return "\(sign)\(seconds).\(fraction)"
    }
}
