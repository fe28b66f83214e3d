/// An archive put together block by block, so that it can be wrong on purpose.
struct RawTar {
    private(set) var bytes: [UInt8] = []

    /// Adds a ustar header with a good checksum; `patches` overwrite bytes before it is summed up.
    mutating func header(
        _ name: String, type: Character = "0", size: Int = 0, link: String = "", mode: String = "0000644",
        patches: [(Int, [UInt8])] = []
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ place: Int, _ value: [UInt8]) {
            block.replaceSubrange(place..<place + value.count, with: value)
        }
        put(0, Array(name.utf8.prefix(100)))
        put(100, Array(mode.utf8))
        put(108, Array("0000000".utf8))
        put(116, Array("0000000".utf8))
        put(124, Array(Self.octal(size, 11).utf8))
        put(136, Array("00000000000".utf8))
        put(156, Array(String(type).utf8))
        put(157, Array(link.utf8.prefix(100)))
        put(257, Array("ustar\u{0}00".utf8))
        for (place, value) in patches { put(place, value) }
        put(148, [UInt8](repeating: 0x20, count: 8))
        put(148, Array((Self.octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ").utf8))
        bytes += block
    }

    mutating func data(_ content: [UInt8]) {
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func file(_ name: String, _ content: String) {
        header(name, size: content.utf8.count)
        data(Array(content.utf8))
    }

    mutating func pax(_ records: [(String, [UInt8])], type: Character = "x") {
        let content = records.flatMap { Self.record($0.0, $0.1) }
        header("PaxHeaders/x", type: type, size: content.count)
        data(content)
    }

    mutating func pax(_ records: [(String, String)], type: Character = "x") {
        pax(records.map { ($0.0, Array($0.1.utf8)) }, type: type)
    }

    mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    static func octal(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = key.utf8.count + value.count + 3
        var length = rest + 1
        while String(length).utf8.count + rest != length { length += 1 }
        return Array("\(length) \(key)=".utf8) + value + [10]
    }
}
