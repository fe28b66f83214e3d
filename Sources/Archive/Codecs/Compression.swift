/// A way in which a stream of bytes is compressed.
package enum Compression: String, CaseIterable, Sendable {
    case none, gzip, bzip2, xz, lzma, zstd

    /// How many first bytes `sniff` wants to see.
    static let headLength = 512

    /// Recognises the format by the first bytes of the data; names and media types are often wrong.
    package static func sniff(_ head: some Collection<UInt8>) -> Compression {
        let head = Array(head.prefix(headLength))
        // A tar archive whose first name happens to look like a magic number.
        if head.count == 512, TarHeader.hasValidChecksum(head) { return .none }
        for (format, magic) in magics where head.starts(with: magic) { return format }
        if isSkippableZstdFrame(head) { return .zstd }
        return isLzmaHeader(head) ? .lzma : .none
    }

    private static let magics: [(Compression, [UInt8])] = [
        (.gzip, [0x1f, 0x8b]),
        (.bzip2, Array("BZh".utf8)),
        (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
        (.zstd, [0x28, 0xb5, 0x2f, 0xfd]),
    ]

    /// RFC 8878, 3.1.2: 0x184D2A50 to 0x184D2A5F, little-endian.
    ///
    /// Parallel zstd and zstd:chunked begin like this.
    private static func isSkippableZstdFrame(_ head: [UInt8]) -> Bool {
        head.count >= 4 && head[0] & 0xf0 == 0x50 && head[1...3].elementsEqual([0x2a, 0x4d, 0x18])
    }

    /// The `.lzma` format has no magic number: properties, a dictionary size of 2^n or 2^n + 2^(n-1), a size.
    private static func isLzmaHeader(_ head: [UInt8]) -> Bool {
        guard head.count >= 13, head[0] < 225 else { return false }
        let dictionary = head[1...4].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let size = head[5...12].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard dictionary >= 4096 else { return false }
        let top = UInt64(1) << UInt64(63 - dictionary.leadingZeroBitCount)
        let isPlausible = dictionary == top || dictionary == top | top >> 1 || dictionary == 0xffff_ffff
        return isPlausible && (size == .max || size < 1 << 38)
    }

    /// What the suffix of a file name asks for, upper or lower case; `nil` when it is none of ours.
    package static func suffix(of name: String) -> Compression? {
        let name = name.lowercased()
        return suffixes.first { name.hasSuffix($0.0) }?.1
    }

    private static let suffixes: [(String, Compression)] = [
        (".tar.gz", .gzip), (".tgz", .gzip), (".tar.bz2", .bzip2), (".tbz2", .bzip2), (".tbz", .bzip2),
        (".tar.xz", .xz), (".txz", .xz), (".tar.lzma", .lzma), (".tlzma", .lzma), (".tar.zst", .zstd),
        (".tzst", .zstd), (".tar", .none), (".gz", .gzip), (".bz2", .bzip2), (".xz", .xz), (".lzma", .lzma),
        (".zst", .zstd),
    ]

    /// Decompresses `source`; `isChecked` says that what comes out is compared with a digest anyway.
    package func decoder(
        _ source: any ByteSource, isChecked: Bool = false
    ) throws(CodecError) -> any ByteSource {
        switch self {
        case .none: source
        case .gzip: try GzipSource(source, verifiesChecksum: !isChecked)
        case .bzip2: Bzip2Source(source)
        case .xz, .lzma: try XzSource(source, self)
        case .zstd: try ZstdSource(source)
        }
    }

    /// Compresses into `sink`.
    ///
    /// With `threads`, as many blocks at a time, whose threads have ended after `finish`; the size hardly depends on
    /// their number. `level` is the format's own scale, or `nil` for its usual one. The old `.lzma` is written as xz,
    /// which its readers understand as well.
    package func encoder(_ sink: any ByteSink, threads: Int? = nil, level: Int32? = nil) throws
        -> any ByteSink
    {
        let level = level ?? usualLevel
        switch self {
        case .none: return sink
        case .gzip:
            guard let threads else { return try GzipSink(sink, level: level) }
            let compressors = (0..<threads).map { _ -> any BlockCompressor in
                DeflateBlocks(level: level) ?? ZlibBlocks(level: level) as any BlockCompressor
            }
            return try ParallelSink(sink, blockSize: 1 << 22, compressors)
        case .bzip2:
            guard let threads else { return try Bzip2Sink(sink, level: level) }
            let compressors = (0..<threads).map { _ in Bzip2Blocks(level: level) }
            // Four of its own blocks, of which each is compressed for itself anyway.
            return try ParallelSink(sink, blockSize: 400_000 * Int(level), compressors)
        case .xz, .lzma:
            return try XzSink(sink, preset: UInt32(clamping: level), threads: threads ?? 1)
        case .zstd:
            guard let threads else { return try ZstdSink(sink, level: level) }
            // The library has threads of its own only where it was made with them, which its static form often is not.
            return try ParallelSink(
                sink, blockSize: 1 << 23, (0..<threads).map { _ in try ZstdBlocks(level: level) })
        }
    }

    private var usualLevel: Int32 {
        switch self {
        case .bzip2: 9
        case .zstd: 3
        default: 6
        }
    }

    /// Looks at the first bytes of `source` and decompresses it accordingly; see `decoder`.
    package static func open(_ source: any ByteSource, isChecked: Bool = false) throws -> any ByteSource {
        let peeking = try PeekingSource(source, count: headLength)
        return try sniff(peeking.head).decoder(peeking, isChecked: isChecked)
    }
}

extension Compression: CustomStringConvertible {
    package var description: String { rawValue }
}
