import Libc
import Platform

/// Writes a tar archive: ustar headers, with pax headers in front where ustar cannot say it.
///
/// The same entries give the same bytes, whoever writes them and when.
package final class TarWriter {
    /// A caller that did not keep to what its entry says.
    package enum Misuse: Error, Hashable, Sendable {
        /// More or less data than the size of the entry.
        case wrongSize(RawString)
        /// A device number or a size that no tar format holds.
        case outOfRange(RawString)
        /// A name, or attributes, that no reader of ours would take back.
        case tooLong(RawString)
    }

    private let sink: any ByteSink
    private var current: RawString = ""
    private var dataLeft: Int64 = 0
    private var padding = 0

    package init(_ sink: any ByteSink) { self.sink = sink }

    /// Begins an entry.
    ///
    /// The data of a regular file is then given to `write`: `size` bytes, or for a sparse file the bytes of
    /// its `stored` parts one after the other.
    package func append(_ entry: TarEntry) throws {
        try endEntry()
        current = entry.path
        guard max(entry.path.bytes.count, entry.linkTarget.bytes.count) < TarReader.nameLimit else {
            throw Misuse.tooLong(entry.path)
        }
        let map = entry.kind == .regular ? entry.stored.map { Self.sparseMap($0, entry.size) } : nil
        let dataSize: Int64 =
            entry.kind != .regular
            ? 0
            : entry.stored.map { $0.reduce(0) { $0 + $1.length } } ?? entry.size
        let storedSize = dataSize + Int64(map?.count ?? 0)
        var records = PaxBuilder()
        var header = HeaderBuilder(type: Self.type(entry.kind))
        describe(entry, storedSize, map != nil, &header, &records)
        if let bytes = records.finish() {
            guard bytes.count <= TarReader.extendedHeaderLimit else { throw Misuse.tooLong(entry.path) }
            var extended = HeaderBuilder(type: UInt8(ascii: "x"))
            extended.set(.name, Self.extendedName(entry.path))
            extended.set(.mode, octal: 0o644)
            extended.set(.size, octal: Int64(bytes.count))
            try sink.write(extended.finish())
            try sink.write(bytes)
            try pad(Int64(bytes.count))
        }
        guard header.isComplete else { throw Misuse.outOfRange(entry.path) }
        try sink.write(header.finish())
        if let map { try sink.write(map) }
        dataLeft = dataSize
        padding = Self.padding(storedSize)
    }

    /// Data of the entry that was appended last.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard Int64(bytes.count) <= dataLeft else { throw Misuse.wrongSize(current) }
        try sink.write(bytes)
        dataLeft -= Int64(bytes.count)
    }

    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Ends the archive with its end mark and the sink with it.
    package func finish() throws {
        try endEntry()
        try sink.write([UInt8](repeating: 0, count: 1024))
        try sink.finish()
    }

    private func endEntry() throws {
        guard dataLeft == 0 else { throw Misuse.wrongSize(current) }
        try sink.write([UInt8](repeating: 0, count: padding))
        padding = 0
    }

    private func pad(_ size: Int64) throws {
        try sink.write([UInt8](repeating: 0, count: Self.padding(size)))
    }

    private static func padding(_ size: Int64) -> Int { Int((512 - size % 512) % 512) }

    // MARK: - What an entry needs

    private func describe(
        _ entry: TarEntry, _ storedSize: Int64, _ isSparse: Bool, _ header: inout HeaderBuilder,
        _ records: inout PaxBuilder
    ) {
        var path = entry.path.bytes
        if entry.kind == .directory, path.last != UInt8(ascii: "/") { path.append(UInt8(ascii: "/")) }
        if !header.setPath(path) { records.add(isSparse ? "GNU.sparse.name" : "path", path, isText: true) }
        if !header.setText(.linkName, entry.linkTarget.bytes) {
            records.add("linkpath", entry.linkTarget.bytes, isText: true)
        }
        header.set(.mode, octal: Int64(entry.permissions & 0o7777))
        if !header.set(.owner, octal: Int64(entry.owner)) { records.add("uid", "\(entry.owner)") }
        if !header.set(.group, octal: Int64(entry.group)) { records.add("gid", "\(entry.group)") }
        if !header.setText(.ownerName, entry.ownerName.bytes) {
            records.add("uname", entry.ownerName.bytes, isText: true)
        }
        if !header.setText(.groupName, entry.groupName.bytes) {
            records.add("gname", entry.groupName.bytes, isText: true)
        }
        if !header.set(.size, octal: storedSize) { records.add("size", "\(storedSize)") }
        let fits = header.set(.modified, octal: Int64(entry.modified.tv_sec))
        if !fits || entry.modified.tv_nsec != 0 { records.add("mtime", entry.modified) }
        if let time = entry.accessed { records.add("atime", time) }
        if let time = entry.changed { records.add("ctime", time) }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            header.require(.major, octal: Int64(entry.major))
            header.require(.minor, octal: Int64(entry.minor))
        }
        if let comment = entry.comment { records.add("comment", comment.bytes, isText: true) }
        for attribute in entry.attributes { records.add(attribute) }
        if isSparse {
            records.add("GNU.sparse.major", "1")
            records.add("GNU.sparse.minor", "0")
            records.add("GNU.sparse.name", path, isText: true)
            records.add("GNU.sparse.realsize", "\(entry.size)")
        }
    }

    private static func type(_ kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .regular: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        case .unknown(let type): type
        }
    }

    /// Only for tar programs that do not know pax headers and unpack them as files.
    private static func extendedName(_ path: RawString) -> [UInt8] {
        let last = path.bytes.split(separator: UInt8(ascii: "/")).last ?? []
        return Array("PaxHeaders/".utf8) + last.prefix(80).filter { $0 < 0x80 }
    }

    /// GNU's format 1.0: the map as decimal lines in front of the data.
    ///
    /// GNU tar gives a file the size at which its last part ends, so a hole at the end needs an empty part.
    private static func sparseMap(_ extents: [SparseExtent], _ size: Int64) -> [UInt8] {
        let end = extents.last.map { $0.offset + $0.length } ?? 0
        let parts = end < size ? extents + [SparseExtent(offset: size, length: 0)] : extents
        let bytes = Array(parts.reduce("\(parts.count)\n") { "\($0)\($1.offset)\n\($1.length)\n" }.utf8)
        return bytes + [UInt8](repeating: 0, count: padding(Int64(bytes.count)))
    }
}

extension TarWriter.Misuse: UserFacing {
    package var message: String {
        switch self {
        case .wrongSize(let path): "\(path): there is more or less data than was announced"
        case .outOfRange(let path): "\(path): no archive holds such a size or device number"
        case .tooLong(let path):
            // The beginning has to do for a name that fills the screen.
            "\(RawString(bytes: path.bytes.prefix(200)) ?? path): its name or its extended attributes are too long for an archive"
        }
    }

    package var hint: String? {
        switch self {
        case .tooLong: "Move it to a shorter path, take attributes off it, or delete it."
        case .wrongSize, .outOfRange: nil
        }
    }
}
