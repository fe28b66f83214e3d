import Libc
import Platform

/// Reads a tar archive from front to back: v7, ustar, pax, GNU and star.
///
/// The memory it needs does not depend on the archive. After an error the reader is of no further use.
package final class TarReader {
    /// Bytes that one set of extended headers may have: more than the attributes of any real file.
    package static let extendedHeaderLimit = 4 << 20
    /// Bytes that all global headers may have together: they are looked at for each entry.
    private static let globalHeaderLimit = 1 << 20
    /// Bytes of a name or of a link's target.
    ///
    /// The kernel takes 4095 in one call (path_resolution(7)), but a tree can be deeper, and is written and read one
    /// name at a time.
    package static let nameLimit = 1 << 18

    private let source: any ChunkSource
    private var window = UnsafeRawBufferPointer(start: nil, count: 0)
    private var block = [UInt8](repeating: 0, count: TarHeader.size)
    private var globalRecords = PaxRecords()
    private var isAtEnd = false

    /// Bytes of the archive that have been used.
    package private(set) var offset: Int64 = 0
    /// Where the header of the current entry begins.
    private var headerOffset: Int64 = 0
    /// Whether the archive ended with its end mark; without one it may have been cut between two entries.
    package private(set) var hasEndMark = false

    /// Stored bytes of the current entry that have not been read.
    private var dataLeft: Int64 = 0
    private var padding = 0
    private var extents: ArraySlice<SparseExtent> = []
    private var position: Int64 = 0

    package init(_ source: any ChunkSource) { self.source = source }

    /// The next entry, or `nil` at the end.
    ///
    /// What was not read of the last one is skipped.
    package func next() throws(TarError) -> TarEntry? {
        try skipData()
        var local = PendingHeaders()
        while try readHeader() {
            let header = TarHeader(block)
            switch header.type {
            case UInt8(ascii: "x"), UInt8(ascii: "X"):
                // Only the last of several counts.
                local.records = PaxRecords()
                guard local.records.add(try readExtendedHeader(header)) else {
                    throw failure(.badExtendedHeader)
                }
            case UInt8(ascii: "g"):
                guard globalRecords.add(try readExtendedHeader(header)) else {
                    throw failure(.badExtendedHeader)
                }
                guard globalRecords.byteCount <= Self.globalHeaderLimit else {
                    throw failure(.tooLong(part: "global header", limit: Self.globalHeaderLimit))
                }
            case UInt8(ascii: "L"): local.name = try readLongName(header)
            case UInt8(ascii: "K"): local.linkName = try readLongName(header)
            case UInt8(ascii: "V"): try skipHeaderData(header)
            case UInt8(ascii: "M"): throw failure(.continuedVolume)
            default: return try entry(header, local)
            }
        }
        guard local.isEmpty else { throw failure(.truncated) }
        return nil
    }

    /// The next piece of the current entry's data, or `nil` when there is no more.
    ///
    /// The bytes are lent by the source and stay valid until the next call of any method. The holes of a sparse
    /// file are left out.
    package func nextStretch() throws(TarError) -> TarStretch? {
        guard let extent = extents.first else { return nil }
        let end = extent.offset + extent.length
        let bytes = try take(atMost: end - position)
        let stretch = TarStretch(offset: position, bytes: bytes)
        position += Int64(bytes.count)
        dataLeft -= Int64(bytes.count)
        if position == end {
            extents = extents.dropFirst()
            if let next = extents.first { position = next.offset }
        }
        return stretch
    }

    /// The whole data of the current entry; `nil` when there are more than `limit` bytes of it.
    package func readData(limit: Int) throws(TarError) -> [UInt8]? {
        var bytes: [UInt8] = []
        while let stretch = try nextStretch() {
            guard bytes.count + stretch.bytes.count <= limit else { return nil }
            bytes += stretch.bytes
        }
        return bytes
    }

    /// Reads what follows the archive in its stream, so that a source that checks its bytes has seen them all.
    package func drain() throws(TarError) {
        try skipData()
        isAtEnd = true
        while try refill() {
            offset += Int64(window.count)
            window = UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    // MARK: - Headers

    /// What the headers in front of an entry's own have said about it.
    private struct PendingHeaders {
        var name: [UInt8]?
        var linkName: [UInt8]?
        var records = PaxRecords()
        var isEmpty: Bool { name == nil && linkName == nil && records.isEmpty }
    }

    /// Reads a header into `block`; false at the end of the archive.
    private func readHeader() throws(TarError) -> Bool {
        guard !isAtEnd else { return false }
        headerOffset = offset
        guard try readBlock() else {
            isAtEnd = true
            return false
        }
        if block.allSatisfy({ $0 == 0 }) {
            // Two such blocks are the end mark; like GNU tar, one is enough, whatever comes after it.
            isAtEnd = true
            hasEndMark = true
            return false
        }
        guard TarHeader.hasValidChecksum(block) else {
            throw failure(headerOffset == 0 ? .notAnArchive : .badChecksum)
        }
        return true
    }

    private func entry(_ header: TarHeader, _ local: PendingHeaders) throws(TarError) -> TarEntry {
        let records = local.records.over(globalRecords)
        var storedSize = try number(header.dataSize, "size")
        if let text = records["size"] { storedSize = try number(PaxRecords.decimal(text), "size") }
        let name = records["GNU.sparse.name"] ?? records["path"] ?? local.name ?? header.name
        let isFolder = header.type == 0 && name.last == UInt8(ascii: "/")
        var entry = TarEntry(
            isFolder ? .directory : Self.kind(header.type), try rawName(name, "name"),
            permissions: mode_t(truncatingIfNeeded: (header.mode ?? 0) & 0o7777))
        guard header.mode != nil else { throw failure(.badNumber(field: "mode")) }
        entry.owner = try identity(header.owner, records["uid"], "uid")
        entry.group = try identity(header.group, records["gid"], "gid")
        entry.ownerName = RawString(bytes: records["uname"] ?? header.ownerName) ?? ""
        entry.groupName = RawString(bytes: records["gname"] ?? header.groupName) ?? ""
        try setTimes(&entry, header, records)
        entry.attributes = records.attributes
        entry.comment = local.records["comment"].flatMap { RawString(bytes: $0) }
        switch entry.kind {
        case .symbolicLink, .hardLink:
            entry.linkTarget = try rawName(
                records["linkpath"] ?? local.linkName ?? header.linkName, "link target")
        case .characterDevice, .blockDevice:
            entry.major = try device(header.major)
            entry.minor = try device(header.minor)
        default: break
        }
        try beginData(&entry, header, records, storedSize)
        return entry
    }

    private static func kind(_ type: UInt8) -> TarEntry.Kind {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"), UInt8(ascii: "S"): .regular
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"), UInt8(ascii: "D"): .directory
        case UInt8(ascii: "6"): .fifo
        default: .unknown(type)
        }
    }

    private func setTimes(_ entry: inout TarEntry, _ header: TarHeader, _ records: PaxRecords)
        throws(TarError)
    {
        guard let seconds = header.modified else { throw failure(.badNumber(field: "mtime")) }
        entry.modified = timespec(tv_sec: Int(seconds), tv_nsec: 0)
        if let time = try time(records, "mtime") { entry.modified = time }
        entry.accessed = try time(records, "atime")
        entry.changed = try time(records, "ctime")
    }

    private func time(_ records: PaxRecords, _ key: String) throws(TarError) -> timespec? {
        guard let text = records[key] else { return nil }
        guard let time = PaxRecords.time(text) else { throw failure(.badNumber(field: key)) }
        return time
    }

    /// 2^32 - 1 is no one: `chown(2)` takes it for "leave as it is".
    private func identity(_ field: Int64?, _ text: [UInt8]?, _ name: String) throws(TarError) -> UInt32 {
        let value = text.map { PaxRecords.decimal($0) } ?? field
        guard let value, (0..<Int64(UInt32.max)).contains(value) else {
            throw failure(.badNumber(field: name))
        }
        return UInt32(value)
    }

    private func device(_ field: Int64?) throws(TarError) -> UInt32 {
        guard let field, let value = UInt32(exactly: field) else {
            throw failure(.badNumber(field: "device number"))
        }
        return value
    }

    private func number(_ value: Int64?, _ field: String) throws(TarError) -> Int64 {
        guard let value, value >= 0 else { throw failure(.badNumber(field: field)) }
        return value
    }

    private func rawName(_ bytes: [UInt8], _ part: String) throws(TarError) -> RawString {
        guard bytes.count <= Self.nameLimit else {
            throw failure(.tooLong(part: part, limit: Self.nameLimit))
        }
        guard let name = RawString(bytes: bytes) else { throw failure(.badName) }
        return name
    }

    private func failure(_ reason: TarError.Reason) -> TarError { TarError(reason, offset: headerOffset) }

    // MARK: - Data that belongs to headers

    private func readExtendedHeader(_ header: TarHeader) throws(TarError) -> [UInt8] {
        try readHeaderData(header, limit: Self.extendedHeaderLimit, "extended header")
    }

    private func readLongName(_ header: TarHeader) throws(TarError) -> [UInt8] {
        // GNU tar counts the NUL at the end.
        Array(try readHeaderData(header, limit: Self.nameLimit + 1, "name").prefix { $0 != 0 })
    }

    private func readHeaderData(_ header: TarHeader, limit: Int, _ part: String) throws(TarError) -> [UInt8] {
        let size = try number(header.dataSize, "size")
        guard size <= limit else { throw failure(.tooLong(part: part, limit: limit)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        while bytes.count < Int(size) { bytes += try take(atMost: size - Int64(bytes.count)) }
        try skip(Int64(Self.padding(size)))
        return bytes
    }

    private func skipHeaderData(_ header: TarHeader) throws(TarError) {
        let size = try number(header.dataSize, "size")
        try skip(size)
        try skip(Int64(Self.padding(size)))
    }

    private static func padding(_ size: Int64) -> Int { Int((512 - size % 512) % 512) }

    // MARK: - Data of entries

    private func beginData(
        _ entry: inout TarEntry, _ header: TarHeader, _ records: PaxRecords, _ storedSize: Int64
    ) throws(TarError) {
        // Links and nodes have no data, whatever their size says: writers put the size of the file there.
        let hasData: Bool =
            switch entry.kind {
            case .regular, .unknown: true
            case .directory: header.type == UInt8(ascii: "D")
            default: false
            }
        dataLeft = hasData ? storedSize : 0
        padding = Self.padding(dataLeft)
        position = 0
        extents = []
        guard entry.kind == .regular else { return }
        if let map = try sparseMap(header, records) {
            entry.size = map.realSize
            entry.stored = map.extents
            extents = map.extents[...]
            position = extents.first?.offset ?? 0
        } else {
            entry.size = storedSize
            extents = storedSize > 0 ? [SparseExtent(offset: 0, length: storedSize)] : []
        }
    }

    private func sparseMap(_ header: TarHeader, _ records: PaxRecords) throws(TarError) -> SparseMap? {
        let found: ([SparseExtent]?, Int64?)
        if header.type == UInt8(ascii: "S"), header.isGNU {
            found = (try oldSparseEntries(header), header.sparseRealSize)
        } else if let major = records["GNU.sparse.major"] {
            guard major == Array("1".utf8), let size = records["GNU.sparse.realsize"] else {
                throw failure(.badSparseMap)
            }
            found = (try storedSparseEntries(), PaxRecords.decimal(size))
        } else if let size = records["GNU.sparse.size"] {
            let entries =
                if let list = records["GNU.sparse.map"] { SparseMap.list(list) } else {
                    SparseMap.pairs(records.sparseNumbers)
                }
            found = (entries, PaxRecords.decimal(size))
        } else {
            return nil
        }
        guard let entries = found.0, let realSize = found.1,
            let map = SparseMap(entries, realSize: realSize, storedSize: dataLeft)
        else { throw failure(.badSparseMap) }
        return map
    }

    /// Old GNU format: four entries in the header, the others in blocks of their own behind it.
    private func oldSparseEntries(_ header: TarHeader) throws(TarError) -> [SparseExtent] {
        guard var entries = header.sparseEntries else { throw failure(.badSparseMap) }
        var hasMore = header.hasMoreSparseEntries
        while hasMore {
            guard try readBlock() else { throw failure(.truncated) }
            guard let more = TarHeader.sparseExtension(block), entries.count < SparseMap.limit else {
                throw failure(.badSparseMap)
            }
            entries += more.entries
            hasMore = more.hasMore
        }
        return entries
    }

    /// GNU's format 1.0: decimal lines in front of the data, padded to a whole block.
    private func storedSparseEntries() throws(TarError) -> [SparseExtent]? {
        var numbers: [Int64] = []
        var digits: [UInt8] = []
        var expected = 1
        while numbers.count < expected {
            guard dataLeft >= 512 else { return nil }
            guard try readBlock() else { throw failure(.truncated) }
            dataLeft -= 512
            for byte in block where numbers.count < expected {
                guard byte == UInt8(ascii: "\n") else {
                    guard digits.count < 20 else { return nil }
                    digits.append(byte)
                    continue
                }
                guard let number = PaxRecords.decimal(digits) else { return nil }
                if numbers.isEmpty {
                    guard number <= SparseMap.limit else { return nil }
                    expected = 1 + 2 * Int(number)
                }
                numbers.append(number)
                digits.removeAll(keepingCapacity: true)
            }
        }
        return SparseMap.pairs(Array(numbers.dropFirst()))
    }

    private func skipData() throws(TarError) {
        try skip(dataLeft)
        dataLeft = 0
        // Some writers of layers leave out what comes after the last byte of the last file. Whether the archive was
        // cut there is told by the end mark, which is then missing, too, or by a digest.
        while padding > 0, try refill() { padding -= try take(atMost: Int64(padding)).count }
        padding = 0
        extents = []
    }

    // MARK: - Bytes

    private func refill() throws(TarError) -> Bool {
        if !window.isEmpty { return true }
        do { window = try source.next() } catch { throw TarError(.source(error), offset: offset) }
        return !window.isEmpty
    }

    /// Between one and `limit` bytes.
    private func take(atMost limit: Int64) throws(TarError) -> UnsafeRawBufferPointer {
        guard try refill() else { throw TarError(.truncated, offset: offset) }
        let count = Int(min(limit, Int64(window.count)))
        let bytes = UnsafeRawBufferPointer(rebasing: window[..<count])
        window = UnsafeRawBufferPointer(rebasing: window[count...])
        offset += Int64(count)
        return bytes
    }

    private func skip(_ count: Int64) throws(TarError) {
        var left = count
        while left > 0 {
            let passed = window.isEmpty ? try passOver(left) : 0
            left -= passed > 0 ? passed : Int64(try take(atMost: left).count)
        }
    }

    private func passOver(_ count: Int64) throws(TarError) -> Int64 {
        do {
            let passed = try source.skip(count)
            offset += passed
            return passed
        } catch { throw TarError(.source(error), offset: offset) }
    }

    /// Fills `block`; false at the end of the source.
    private func readBlock() throws(TarError) -> Bool {
        var filled = 0
        while filled < TarHeader.size {
            guard try refill() else {
                if filled == 0 { return false }
                throw TarError(.truncated, offset: offset)
            }
            let bytes = try take(atMost: Int64(TarHeader.size - filled))
            block.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[filled...]).copyMemory(from: bytes)
            }
            filled += bytes.count
        }
        return true
    }
}
