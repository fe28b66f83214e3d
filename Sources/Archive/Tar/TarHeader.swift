import Platform

/// The fields of one 512-byte header block: v7, ustar (POSIX.1-2017, pax), old GNU or star.
struct TarHeader {
    static let size = 512

    private enum Format { case v7, ustar, gnu, star }

    private let block: [UInt8]
    private let format: Format

    init(_ block: [UInt8]) {
        self.block = block
        let magic = block[257..<265]
        if magic.elementsEqual(Array("ustar  \0".utf8)) {
            format = .gnu
        } else if magic.starts(with: Array("ustar\0".utf8)) {
            format = block[508..<512].elementsEqual(Array("tar\0".utf8)) ? .star : .ustar
        } else {
            format = .v7
        }
    }

    /// Whether the sum of the bytes is the one in the block; some old writers summed signed bytes.
    static func hasValidChecksum(_ block: [UInt8]) -> Bool {
        guard let expected = number(block[148..<156]) else { return false }
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? 0x20 : byte
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return expected == unsigned || expected == signed
    }

    var type: UInt8 { block[156] }
    var linkName: [UInt8] { Self.text(block[157..<257]) }
    var mode: Int64? { Self.number(block[100..<108]) }
    var owner: Int64? { Self.number(block[108..<116]) }
    var group: Int64? { Self.number(block[116..<124]) }
    var dataSize: Int64? { Self.number(block[124..<136]) }
    var modified: Int64? { Self.number(block[136..<148]) }
    var ownerName: [UInt8] { format == .v7 ? [] : Self.text(block[265..<297]) }
    var groupName: [UInt8] { format == .v7 ? [] : Self.text(block[297..<329]) }
    var major: Int64? { format == .v7 ? 0 : Self.number(block[329..<337]) }
    var minor: Int64? { format == .v7 ? 0 : Self.number(block[337..<345]) }

    /// The name with its prefix, where the format has one.
    var name: [UInt8] {
        let name = Self.text(block[0..<100])
        let prefix =
            switch format {
            case .ustar: Self.text(block[345..<500])
            case .star: Self.text(block[345..<476])
            case .v7, .gnu: [UInt8]()
            }
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    // MARK: - Old GNU sparse files (GNU tar manual, "Storing Sparse Files")

    var isGNU: Bool { format == .gnu }
    var sparseRealSize: Int64? { Self.number(block[483..<495]) }
    var hasMoreSparseEntries: Bool { block[482] != 0 }
    var sparseEntries: [SparseExtent]? { Self.sparseEntries(block, at: 386, count: 4) }

    /// The entries of an extension block and whether another one follows.
    static func sparseExtension(_ block: [UInt8]) -> (entries: [SparseExtent], hasMore: Bool)? {
        guard let entries = sparseEntries(block, at: 0, count: 21) else { return nil }
        return (entries, block[504] != 0)
    }

    private static func sparseEntries(_ block: [UInt8], at start: Int, count: Int) -> [SparseExtent]? {
        var entries: [SparseExtent] = []
        for index in 0..<count {
            let place = start + index * 24
            if block[place] == 0 { break }
            guard let offset = number(block[place..<place + 12]),
                let length = number(block[place + 12..<place + 24])
            else { return nil }
            entries.append(SparseExtent(offset: offset, length: length))
        }
        return entries
    }

    // MARK: - Fields

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// An octal number, or GNU's base-256 when the first byte has its top bit; `nil` when it is neither or too big.
    static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 { return binaryNumber(field, isNegative: first & 0x40 != 0) }
        var value: Int64 = 0
        var hasDigits = false
        for byte in field {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                hasDigits = true
                // Twelve octal digits are 36 bits.
                value = value << 3 | Int64(byte - UInt8(ascii: "0"))
            case 0x20 where !hasDigits: continue
            case 0x20, 0: return value
            default: return nil
            }
        }
        return value
    }

    /// Big-endian two's complement behind one marker bit.
    private static func binaryNumber(_ field: ArraySlice<UInt8>, isNegative: Bool) -> Int64? {
        let filler: UInt8 = isNegative ? 0xff : 0
        var bytes = Array(field)
        bytes[0] = isNegative ? bytes[0] : bytes[0] & 0x7f
        let surplus = max(0, bytes.count - 8)
        guard bytes[..<surplus].allSatisfy({ $0 == filler }) else { return nil }
        let value = bytes[surplus...].reduce(filler == 0 ? UInt64(0) : .max) { $0 << 8 | UInt64($1) }
        let result = Int64(bitPattern: value)
        return (result < 0) == isNegative ? result : nil
    }
}
