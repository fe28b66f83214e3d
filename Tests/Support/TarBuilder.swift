import Libc
import Platform

/// Writes tar archives member by member, exactly as told, so that a test can make the ones no honest program makes.
package struct TarBuilder {
    /// What a member is, by its type flag (POSIX.1 ustar, "typeflag").
    package enum Kind: UInt8 {
        case file = 0x30, hardLink, symbolicLink, characterDevice, blockDevice, directory, fifo
    }

    /// The archive so far, without the two empty blocks at its end.
    private var bytes: [UInt8] = []

    package init() {}

    /// Adds a member.
    ///
    /// A name, link target or attribute that does not fit the header goes into a pax header.
    package mutating func add(
        _ name: String, _ kind: Kind = .file, content: [UInt8] = [], target: String = "", mode: UInt32? = nil,
        owner: UInt32 = 0, group: UInt32 = 0, time: Int = 1_700_000_000, device: (UInt32, UInt32) = (0, 0),
        attributes: [String: [UInt8]] = [:]
    ) {
        var records = attributes.sorted { $0.key < $1.key }.map { ("SCHILY.xattr.\($0.key)", $0.value) }
        if name.utf8.count > 100 { records.append(("path", Array(name.utf8))) }
        if target.utf8.count > 100 { records.append(("linkpath", Array(target.utf8))) }
        if !records.isEmpty { addRecords(records) }
        let mode = mode ?? (kind == .directory ? 0o755 : 0o644)
        var header = Header()
        header.text(0, 100, name)
        header.octal(100, 8, Int(mode))
        header.octal(108, 8, Int(owner))
        header.octal(116, 8, Int(group))
        header.octal(124, 12, content.count)
        header.octal(136, 12, time)
        header.bytes[156] = kind.rawValue
        header.text(157, 100, target)
        header.octal(329, 8, Int(device.0))
        header.octal(337, 8, Int(device.1))
        bytes += header.finished + content
        pad()
    }

    /// Adds a directory and what is needed for a program of busybox to run: the usual start of a test's layer.
    package mutating func addDirectories(_ names: String...) {
        for name in names { add(name + "/", .directory) }
    }

    /// Adds a text file.
    package mutating func add(_ name: String, text: String, mode: UInt32? = nil) {
        add(name, content: Array(text.utf8), mode: mode)
    }

    /// Adds bytes as they are, in place of a member.
    package mutating func addRaw(_ raw: [UInt8]) { bytes += raw }

    /// The whole archive.
    package var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    /// A pax extended header: records of "LENGTH KEY=VALUE\n", the length counting itself.
    private mutating func addRecords(_ records: [(String, [UInt8])]) {
        var body: [UInt8] = []
        for (key, value) in records {
            let rest = key.utf8.count + value.count + 3
            var length = rest
            while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
            body += Array("\(length) \(key)=".utf8) + value + [0x0a]
        }
        var header = Header()
        header.text(0, 100, "PaxHeaders/0")
        header.octal(100, 8, 0o644)
        header.octal(124, 12, body.count)
        header.octal(136, 12, 0)
        header.bytes[156] = UInt8(ascii: "x")
        bytes += header.finished + body
        pad()
    }

    private mutating func pad() {
        bytes += [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private struct Header {
        var bytes = [UInt8](repeating: 0, count: 512)

        mutating func text(_ offset: Int, _ size: Int, _ value: String) {
            for (index, byte) in value.utf8.prefix(size).enumerated() { bytes[offset + index] = byte }
        }

        mutating func octal(_ offset: Int, _ size: Int, _ value: Int) {
            let digits = String(value, radix: 8)
            text(offset, size, String(repeating: "0", count: max(0, size - 1 - digits.utf8.count)) + digits)
        }

        /// The checksum counts its own field as spaces.
        var finished: [UInt8] {
            var copy = self
            copy.text(257, 8, "ustar\u{0}00")
            copy.text(148, 8, "        ")
            let sum = copy.bytes.reduce(0) { $0 + Int($1) }
            copy.octal(148, 7, sum)
            copy.bytes[154] = 0
            return copy.bytes
        }
    }
}
