/// One ustar header block (POSIX.1-2017, pax, "ustar Interchange Format") in the making.
struct HeaderBuilder {
    /// A field by its first byte and its length.
    struct Field {
        let start: Int
        let length: Int

        static let name = Field(start: 0, length: 100)
        static let mode = Field(start: 100, length: 8)
        static let owner = Field(start: 108, length: 8)
        static let group = Field(start: 116, length: 8)
        static let size = Field(start: 124, length: 12)
        static let modified = Field(start: 136, length: 12)
        static let checksum = Field(start: 148, length: 8)
        static let linkName = Field(start: 157, length: 100)
        static let ownerName = Field(start: 265, length: 32)
        static let groupName = Field(start: 297, length: 32)
        static let major = Field(start: 329, length: 8)
        static let minor = Field(start: 337, length: 8)
        static let prefix = Field(start: 345, length: 155)
    }

    private var block = [UInt8](repeating: 0, count: TarHeader.size)
    /// Whether every number that has no pax record to go to fitted.
    private(set) var isComplete = true

    init(type: UInt8) {
        block.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
        block[156] = type
        for field in [Field.mode, .owner, .group, .size, .modified, .major, .minor] { set(field, octal: 0) }
    }

    /// Copies as many bytes as fit.
    mutating func set(_ field: Field, _ bytes: some Collection<UInt8>) {
        let bytes = bytes.prefix(field.length)
        block.replaceSubrange(field.start..<field.start + bytes.count, with: bytes)
    }

    /// Sets an octal number; false, and 0, when it is negative or too long.
    @discardableResult
    mutating func set(_ field: Field, octal value: Int64) -> Bool {
        let digits = field.length - 1
        let fits = value >= 0 && value >> Int64(digits * 3) == 0
        var rest = fits ? value : 0
        for index in (0..<digits).reversed() {
            block[field.start + index] = UInt8(ascii: "0") + UInt8(rest & 7)
            rest >>= 3
        }
        return fits
    }

    mutating func require(_ field: Field, octal value: Int64) {
        if !set(field, octal: value) { isComplete = false }
    }

    /// Sets a name; false when it is too long or not ASCII, which is all that ustar promises.
    mutating func setText(_ field: Field, _ bytes: [UInt8]) -> Bool {
        guard bytes.allSatisfy({ $0 < 0x80 }) else {
            set(field, bytes.prefix(field.length).map { $0 < 0x80 ? $0 : UInt8(ascii: "_") })
            return false
        }
        set(field, bytes)
        return bytes.count <= field.length
    }

    /// Sets the path, split at a slash where it is too long for one field; false when that does not help.
    mutating func setPath(_ path: [UInt8]) -> Bool {
        if path.count <= Field.name.length || !path.allSatisfy({ $0 < 0x80 }) { return setText(.name, path) }
        let earliest = path.count - Field.name.length - 1
        let slash = path.indices.dropLast().first {
            $0 >= earliest && $0 > 0 && $0 <= Field.prefix.length && path[$0] == UInt8(ascii: "/")
        }
        guard let slash else { return setText(.name, path) }
        set(.prefix, path[..<slash])
        set(.name, path[(slash + 1)...])
        return true
    }

    /// The block with its checksum.
    consuming func finish() -> [UInt8] {
        set(.checksum, [UInt8](repeating: 0x20, count: 8))
        let sum = block.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        set(.checksum, Array((String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} ").utf8))
        return block
    }
}
