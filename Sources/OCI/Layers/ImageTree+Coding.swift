import Archive
import CLinux
import Libc
import Platform

/// A tree as bytes, to be kept: whole numbers are little-endian, texts have their length in front.
///
/// ```
/// magic, key of 32 bytes: what it is about
/// count of files; each: kind, flags, permissions, owner, group, size, time, target, device, attributes, hash, parts
/// for each directory among them, in their order: count of names; each: name, number of the file
/// SHA-256 of all that
/// ```
extension ImageTree {
    private static let magic = Array("chroot-distro tree 1\n".utf8)

    /// What tells the layers of one image from those of any other.
    package static func key(of layers: [Digest]) throws(MissingLibrary) -> [UInt8] {
        var hasher = try DigestHasher(.sha256)
        for layer in layers { Array("\(layer)\n".utf8).withUnsafeBytes { hasher.update($0) } }
        return hasher.finishBytes()
    }

    /// The tree as bytes, of which `key` says what they are about.
    package func encoded(key: [UInt8]) throws(MissingLibrary) -> [UInt8] {
        var writer = TreeEncoder()
        writer.bytes = Self.magic + key
        var order = [Self.root]
        var numbers = [Self.root: 0]
        var directories: [Int] = []
        var position = 0
        while position < order.count {
            let file = order[position]
            position += 1
            guard self[file].kind == .directory else { continue }
            directories.append(file)
            for name in names(in: file) {
                guard let below = child(name, of: file), numbers[below] == nil else { continue }
                numbers[below] = order.count
                order.append(below)
            }
        }
        writer.put(UInt32(order.count))
        for file in order { writer.put(self[file]) }
        for directory in directories {
            let names = names(in: directory)
            writer.put(UInt32(names.count))
            for name in names {
                writer.put(name.bytes)
                writer.put(UInt32(child(name, of: directory).flatMap { numbers[$0] } ?? 0))
            }
        }
        return writer.bytes + (try Self.checksum(writer.bytes[...]))
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) throws(MissingLibrary) -> [UInt8] {
        var hasher = try DigestHasher(.sha256)
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finishBytes()
    }

    private static let checksumSize = 32

    /// Reads what `encoded` wrote; `nil` when it is about something else or damaged.
    package init?(_ bytes: [UInt8], key: [UInt8]) {
        let head = Self.magic + key
        guard bytes.starts(with: head), bytes.count > head.count + Self.checksumSize,
            let checksum = try? Self.checksum(bytes.dropLast(Self.checksumSize)),
            bytes.suffix(Self.checksumSize).elementsEqual(checksum)
        else { return nil }
        var reader = TreeDecoder(bytes, from: head.count)
        let count = Int(reader.number32())
        guard count > 0, count <= bytes.count else { return nil }
        var files: [File] = []
        files.reserveCapacity(count)
        for _ in 0..<count { files.append(reader.file()) }
        guard !reader.isBroken, files[0].kind == .directory else { return nil }
        self.init(files)
        for directory in 0..<count where self[directory].kind == .directory {
            for _ in 0..<reader.number32() {
                let name = reader.text()
                let file = Int(reader.number32())
                guard !reader.isBroken, file < count else { return nil }
                enter(name, in: directory, file)
            }
        }
        guard reader.position + Self.checksumSize == bytes.count else { return nil }
    }
}

private struct TreeEncoder {
    var bytes: [UInt8] = []

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: [UInt8]) {
        put(UInt32(text.count))
        bytes += text
    }

    mutating func put(_ file: ImageTree.File) {
        put(Self.number(of: file.kind))
        put(
            UInt8(file.modified == nil ? 0 : 1) | (file.content == nil ? 0 : 2) | (file.stored == nil ? 0 : 4)
        )
        put(UInt32(file.permissions))
        put(UInt32(file.owner))
        put(UInt32(file.group))
        put(file.size)
        put(Int64(file.modified?.tv_sec ?? 0))
        put(Int64(file.modified?.tv_nsec ?? 0))
        put(file.target.bytes)
        put(file.major)
        put(file.minor)
        put(UInt32(file.attributes.count))
        for attribute in file.attributes {
            put(attribute.name.bytes)
            put(attribute.value)
        }
        if let content = file.content { bytes += content.bytes }
        if let stored = file.stored {
            put(UInt32(stored.count))
            for extent in stored {
                put(extent.offset)
                put(extent.length)
            }
        }
    }

    private static func number(of kind: TarEntry.Kind) -> UInt8 {
        UInt8(TreeDecoder.kinds.firstIndex(of: kind) ?? 0)
    }
}

private struct TreeDecoder {
    static let kinds: [TarEntry.Kind] = [
        .regular, .directory, .symbolicLink, .characterDevice, .blockDevice, .fifo,
    ]

    private let bytes: [UInt8]
    private(set) var position: Int
    private(set) var isBroken = false

    init(_ bytes: [UInt8], from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else {
            isBroken = true
            return []
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        guard size <= bytes.count - position else {
            isBroken = true
            return 0
        }
        defer { position += size }
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Number.self))
        }
    }

    /// 0 behind the end, so that no count of things that are not there is believed.
    mutating func number32() -> UInt32 { number(UInt32.self) }

    mutating func text() -> RawString {
        guard let text = RawString(bytes: take(Int(number32()))) else {
            isBroken = true
            return ""
        }
        return text
    }

    mutating func file() -> ImageTree.File {
        let kind = Int(number(UInt8.self))
        let flags = number(UInt8.self)
        guard !isBroken, kind < Self.kinds.count else {
            isBroken = true
            return ImageTree.File(.regular)
        }
        var file = ImageTree.File(Self.kinds[kind])
        file.permissions = number(UInt32.self)
        file.owner = number(UInt32.self)
        file.group = number(UInt32.self)
        file.size = number(Int64.self)
        let (seconds, nanoseconds) = (number(Int64.self), number(Int64.self))
        if flags & 1 != 0 { file.modified = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)) }
        file.target = text()
        (file.major, file.minor) = (number32(), number32())
        for _ in 0..<number32() where !isBroken {
            let name = text()
            file.attributes.append(TarEntry.Attribute(name, Array(take(Int(number32())))))
        }
        if flags & 2 != 0 { file.content = ContentHash(take(32)) }
        if flags & 4 != 0 {
            var stored: [SparseExtent] = []
            for _ in 0..<number32() where !isBroken {
                stored.append(SparseExtent(offset: number(Int64.self), length: number(Int64.self)))
            }
            file.stored = stored
        }
        return file
    }
}
