/// A number of bytes that people read and write: `1.4 GiB`.
package struct ByteCount: Hashable, Comparable, Sendable {
    package let bytes: Int64

    package init(_ bytes: some BinaryInteger) { self.bytes = Int64(clamping: bytes) }

    /// Reads `512`, `5M`, `1.5g`, `10 MiB` or `10MB`; every unit is a power of 1024.
    ///
    /// `nil` for anything else, for a negative number and for one that does not fit.
    package init?(_ text: String) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }), parts.count <= 2 else { return nil }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        let power = ["", "k", "m", "g", "t", "p"].firstIndex { letter in
            unit == letter || unit == letter + "b" || (!letter.isEmpty && unit == letter + "ib")
        }
        guard let power else { return nil }
        let factor = Int64(1) << (10 * Int64(power))
        var (bytes, overflow) = whole.multipliedReportingOverflow(by: factor)
        if parts.count == 2 {
            guard let fraction = Self.fraction(parts[1], of: factor) else { return nil }
            bytes += overflow ? 0 : fraction
        }
        guard !overflow, bytes >= 0 else { return nil }
        self.bytes = bytes
    }

    private static func fraction(_ digits: Substring, of factor: Int64) -> Int64? {
        guard !digits.isEmpty, digits.count <= 9, let value = Double("0." + digits) else { return nil }
        return Int64((value * Double(factor)).rounded())
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

extension ByteCount: CustomStringConvertible {
    /// `N B`, or one decimal in KiB, MiB, GiB or TiB.
    package var description: String {
        guard bytes.magnitude >= 1024 else { return "\(bytes) B" }
        var scale: UInt64 = 1024
        for unit in ["KiB", "MiB", "GiB"] {
            let tenths = Self.tenths(bytes.magnitude, scale)
            if tenths < 10240 { return format(tenths, unit) }
            scale *= 1024
        }
        return format(Self.tenths(bytes.magnitude, scale), "TiB")
    }

    /// Rounded to the nearest tenth, so that 1023.96 KiB becomes 1.0 MiB and never 1024.0 KiB.
    private static func tenths(_ value: UInt64, _ scale: UInt64) -> UInt64 {
        value / scale * 10 + (value % scale * 10 + scale / 2) / scale
    }

    private func format(_ tenths: UInt64, _ unit: String) -> String {
        "\(bytes < 0 ? "-" : "")\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
