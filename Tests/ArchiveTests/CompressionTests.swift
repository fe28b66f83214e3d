import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("Compression") struct CompressionTests {
    static let real: [Compression] = [.gzip, .bzip2, .xz, .zstd]

    static func compressed(_ format: Compression, _ bytes: [UInt8]) throws -> [UInt8] {
        let sink = MemorySink()
        let encoder = try format.encoder(sink)
        try encoder.write(bytes)
        try encoder.finish()
        return sink.bytes
    }

    static func read(_ bytes: [UInt8], step: Int = 1 << 20) throws -> [UInt8] {
        try Compression.open(DrippingSource(bytes, step: step)).readAll(limit: 1 << 26)
    }

    @Test(
        "what is compressed comes back, in whatever pieces it arrives", arguments: real,
        [1, 7, 4096, 1 << 20])
    func roundTrip(format: Compression, step: Int) throws {
        let plain = sampleBytes(step == 1 ? 3000 : 700_000)
        let packed = try Self.compressed(format, plain)
        #expect(Compression.sniff(packed) == format)
        #expect(packed.count < plain.count)
        #expect(try Self.read(packed, step: step) == plain)
    }

    @Test("empty content is content", arguments: real)
    func empty(format: Compression) throws {
        #expect(try Self.read(Self.compressed(format, [])) == [])
    }

    @Test("several streams in a row are one", arguments: real, [1, 5, 100_000])
    func concatenated(format: Compression, step: Int) throws {
        let (one, two) = (sampleBytes(5000), sampleBytes(3000, seed: 9))
        let packed =
            try Self.compressed(format, one) + Self.compressed(format, []) + Self.compressed(format, two)
        #expect(try Self.read(packed, step: step) == one + two)
    }

    @Test("a cut anywhere is an error, never an end", arguments: real)
    func truncated(format: Compression) throws {
        let packed = try Self.compressed(format, sampleBytes(2000))
        for count in 14..<packed.count {
            #expect(throws: CodecError.self, "cut at \(count)") { try Self.read(Array(packed[..<count])) }
        }
    }

    @Test("a changed byte is found", arguments: real)
    func damaged(format: Compression) throws {
        let plain = sampleBytes(2000)
        let packed = try Self.compressed(format, plain)
        for place in stride(from: packed.count / 2, to: packed.count, by: 3) {
            var broken = packed
            broken[place] ^= 0x10
            let result = try? Self.read(broken)
            #expect(result == nil || result == plain, "byte \(place)")
        }
    }

    @Test(
        "garbage after the last stream is ignored where the format's own program does",
        arguments: [Compression.gzip, .bzip2])
    func trailingGarbage(format: Compression) throws {
        let packed = try Self.compressed(format, sampleBytes(100))
        for tail in [[0, 0, 0], [0x1f, 0x00], Array("garbage of some length".utf8)] as [[UInt8]] {
            #expect(try Self.read(packed + tail) == sampleBytes(100))
            #expect(try Self.read(packed + tail, step: 1) == sampleBytes(100))
        }
    }

    @Test(
        "the usual programs' files are read", .needsProgram("gzip", "bzip2", "xz", "lzma", "zstd"),
        arguments: ["gzip -9", "bzip2", "xz", "xz --format=lzma", "lzma", "zstd", "zstd --long=27"])
    func programs(command: String) throws {
        let plain = sampleBytes(200_000)
        let packed = try #require(shell(command, input: plain))
        #expect(try Self.read(packed) == plain)
    }

    @Test(
        "the usual programs read our files", .needsProgram("gzip", "bzip2", "xz", "zstd"), arguments: real)
    func ours(format: Compression) throws {
        let plain = sampleBytes(300_000)
        #expect(shell("\(format.rawValue) -d -c", input: try Self.compressed(format, plain)) == plain)
    }

    @Test("a zstd window beyond 128 MiB is refused", .enabled(if: hasCommand("zstd")))
    func hugeWindow() throws {
        let packed = try #require(shell("head -c 300000000 /dev/zero | zstd --ultra --long=30"))
        #expect(throws: CodecError.needsMemory(.zstd)) {
            let source = try ZstdSource(MemorySource(packed))
            return try source.readAll(limit: 1 << 20)
        }
    }

    @Test(
        "suffixes name formats",
        arguments: [
            ("x.tar.gz", Compression.gzip), ("X.TGZ", .gzip), ("a.tar.zst", .zstd), ("a.txz", .xz),
            ("b.tar", .none),
            ("b.tar.lzma", .lzma), ("c.tbz2", .bzip2), ("d.zst", .zstd), ("d.gz", .gzip), ("D.XZ", .xz),
            ("d.bz2", .bzip2),
        ])
    func suffixes(name: String, format: Compression) {
        #expect(Compression.suffix(of: name) == format)
        #expect(Compression.suffix(of: name + "x") == nil)
    }

    @Test("a tar archive whose first name looks like a magic number is a tar archive")
    func misleadingName() throws {
        let sink = MemorySink()
        let writer = TarWriter(sink)
        try writer.append(TarEntry(.regular, "BZh9.txt", permissions: 0o644))
        try writer.finish()
        #expect(Compression.sniff(sink.bytes) == .none)
        #expect(Compression.sniff(sink.bytes.prefix(100)) == .bzip2)
    }
}
