import Archive
import CLinux
import Libc
import Platform

/// The files of a container as a backup left them: their paths, and all that was recorded of each but its data and
/// attributes.
///
/// It is kept as bytes, as it stands in an increment, in the order in which a tree is read. Numbers have seven bits in
/// a byte, the lowest first. Each file has: bytes that its path shares with the one before, the length of the rest, the
/// rest, the length of its record, the record.
struct BackupIndex {
    /// What its bytes begin with.
    private static let head = Array("chroot-distro files 1\n".utf8)
    /// Bytes that one may have.
    static let sizeLimit = 1 << 28

    private(set) var bytes: [UInt8]
    private var last: [UInt8]?

    init() { bytes = Self.head }

    /// Reads what `bytes` of another one said; `nil` when these are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.head) else { return nil }
        self.bytes = bytes
    }

    /// Adds the next file, by its path from the root, which itself has the empty one.
    ///
    /// False when it does not come behind the one before, or the index is full.
    mutating func add(_ path: [UInt8], _ record: [UInt8]) -> Bool {
        if let last, !Self.isInOrder(last, path) { return false }
        guard bytes.count + path.count + record.count < Self.sizeLimit else { return false }
        let shared = Self.shared(last ?? [], path)
        Self.put(UInt64(shared), &bytes)
        Self.put(UInt64(path.count - shared), &bytes)
        bytes += path[shared...]
        Self.put(UInt64(record.count), &bytes)
        bytes += record
        last = path
        return true
    }

    /// Begins to read.
    func cursor() -> Cursor { Cursor(bytes, at: Self.head.count) }

    // MARK: - Records

    private static let kinds: [TarEntry.Kind: UInt8] = [
        .directory: UInt8(ascii: "d"), .regular: UInt8(ascii: "f"), .symbolicLink: UInt8(ascii: "l"),
        .hardLink: UInt8(ascii: "h"), .characterDevice: UInt8(ascii: "c"),
        .blockDevice: UInt8(ascii: "b"), .fifo: UInt8(ascii: "p"),
    ]

    /// What is recorded of a file; two records are equal when nothing was changed that they hold.
    ///
    /// `inode` is that of a directory, `linkTarget` the path from the root that a hard link means.
    static func record(_ entry: TarEntry, inode: UInt64, linkTarget: [UInt8]) -> [UInt8] {
        var record = [kinds[entry.kind] ?? UInt8(ascii: "?")]
        if entry.kind == .directory { put(inode, &record) }
        for number in [UInt64(entry.permissions), UInt64(entry.owner), UInt64(entry.group)] {
            put(number, &record)
        }
        put(UInt64(bitPattern: Int64(entry.modified.tv_sec)), &record)
        put(UInt64(bitPattern: Int64(entry.modified.tv_nsec)), &record)
        switch entry.kind {
        case .regular: put(UInt64(bitPattern: entry.size), &record)
        case .symbolicLink: record += entry.linkTarget.bytes
        case .hardLink: record += linkTarget
        case .characterDevice, .blockDevice:
            put(UInt64(entry.major), &record)
            put(UInt64(entry.minor), &record)
        default: break
        }
        return record
    }

    // MARK: - Bytes

    private static func put(_ number: UInt64, _ bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func shared(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let count = min(left.count, right.count)
        var shared = 0
        while shared < count, left[shared] == right[shared] { shared += 1 }
        return shared
    }

    /// Whether a tree is read in this order: a directory before what is in it, names by their bytes.
    static func isInOrder(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let shared = shared(left, right)
        guard shared < left.count, shared < right.count else { return left.count < right.count }
        // A slash comes before any byte that a name can have.
        let slash = UInt8(ascii: "/")
        return right[shared] != slash && (left[shared] == slash || left[shared] < right[shared])
    }
}

extension BackupIndex {
    /// Bytes that are no index.
    struct Damage: Error {}

    /// Reads one file after the other.
    struct Cursor {
        private let bytes: [UInt8]
        private var position: Int
        /// The path from the root.
        private(set) var path: [UInt8] = []
        private(set) var record: ArraySlice<UInt8> = []

        fileprivate init(_ bytes: [UInt8], at position: Int) {
            self.bytes = bytes
            self.position = position
        }

        /// Goes on to the next file; false at the end.
        mutating func next() throws(Damage) -> Bool {
            guard position < bytes.count else { return false }
            let shared = try number()
            guard shared <= UInt64(path.count) else { throw Damage() }
            let rest = try piece()
            let before = path
            path.removeLast(path.count - Int(shared))
            path += rest
            let isFirst = record.isEmpty
            record = try piece()
            guard !record.isEmpty, isFirst || BackupIndex.isInOrder(before, path) else { throw Damage() }
            return true
        }

        private mutating func number() throws(Damage) -> UInt64 {
            var number: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard position < bytes.count else { throw Damage() }
                let byte = bytes[position]
                position += 1
                number |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return number }
            }
            throw Damage()
        }

        private mutating func piece() throws(Damage) -> ArraySlice<UInt8> {
            let length = try number()
            guard length <= UInt64(bytes.count - position) else { throw Damage() }
            let piece = bytes[position..<position + Int(length)]
            position += Int(length)
            return piece
        }

        // MARK: - What a record says

        var isDirectory: Bool { record.first == UInt8(ascii: "d") }

        /// Whether it is a device or a FIFO, which not everybody may make.
        var isSpecial: Bool { ["b", "c", "p"].contains { record.first == UInt8(ascii: $0) } }

        /// Of a directory.
        var inode: UInt64? {
            guard isDirectory else { return nil }
            var rest = Cursor(Array(record), at: 1)
            return try? rest.number()
        }
    }
}
