import Testing

@testable import Archive

@Suite("GzipSource") struct GzipSourceTests {
    static func read(_ bytes: [UInt8], step: Int, usesIsal: Bool) throws -> [UInt8] {
        try GzipSource(DrippingSource(bytes, step: step), usesIsal: usesIsal).readAll(limit: 1 << 26)
    }

    @Test(
        "both decoders agree, whatever the pieces", arguments: [true, false], [1, 2, 3, 8, 13, 511, 65536])
    func decoders(usesIsal: Bool, step: Int) throws {
        let parts = [sampleBytes(10), sampleBytes(step < 100 ? 4000 : 500_000), sampleBytes(1, seed: 3)]
        let packed = try parts.flatMap { try CompressionTests.compressed(.gzip, $0) }
        #expect(try Self.read(packed, step: step, usesIsal: usesIsal) == parts.flatMap { $0 })
    }

    @Test(
        "every optional field of the header is passed over, and its checksum checked",
        arguments: [true, false])
    func headerFields(usesIsal: Bool) throws {
        let member = try CompressionTests.compressed(.gzip, Array("data".utf8))
        // FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT.
        let header: [UInt8] =
            [0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3] + Array("name\0comment\0".utf8)
        let inflater = try ZlibInflater()
        let crc = header.withUnsafeBytes { inflater.checksum(0, $0) }
        let sum = [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
        let good = header + sum + member[10...]
        #expect(try Self.read(good, step: 3, usesIsal: usesIsal) == Array("data".utf8))
        let bad = header + [sum[0] ^ 1, sum[1]] + member[10...]
        #expect(throws: CodecError.damaged(.gzip)) { try Self.read(bad, step: 99, usesIsal: usesIsal) }
    }

    @Test("the CRC-32 and the size at the end are checked", arguments: [true, false], 1...8)
    func trailer(usesIsal: Bool, fromEnd: Int) throws {
        var packed = try CompressionTests.compressed(.gzip, sampleBytes(1000))
        packed[packed.count - fromEnd] ^= 1
        #expect(throws: CodecError.damaged(.gzip)) { try Self.read(packed, step: 4096, usesIsal: usesIsal) }
    }

    @Test("reserved flags and other methods are refused", arguments: [(2, UInt8(7)), (3, 0x20)])
    func unknownHeader(place: Int, value: UInt8) throws {
        var packed = try CompressionTests.compressed(.gzip, sampleBytes(10))
        packed[place] = value
        #expect(throws: CodecError.damaged(.gzip)) { try Self.read(packed, step: 4096, usesIsal: false) }
    }
}
