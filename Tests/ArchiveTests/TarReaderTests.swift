import Libc
import Platform
import Testing

@testable import Archive

/// The entries with their data, holes filled with zeros.
func unpack(_ bytes: [UInt8], step: Int = 1 << 20) throws -> [(TarEntry, [UInt8])] {
    let reader = TarReader(BufferedChunks(DrippingSource(bytes, step: step), capacity: 4096))
    var result: [(TarEntry, [UInt8])] = []
    while let entry = try reader.next() {
        var data = [UInt8](repeating: 0, count: Int(min(entry.size, 1 << 24)))
        while let stretch = try reader.nextStretch() {
            for (index, byte) in stretch.bytes.enumerated() { data[Int(stretch.offset) + index] = byte }
        }
        result.append((entry, data))
    }
    return result
}

@Suite("TarReader") struct TarReaderTests {
    static func build(_ body: (inout RawTar) -> Void) -> [UInt8] {
        var tar = RawTar()
        body(&tar)
        tar.end()
        return tar.bytes
    }

    static func reason(_ bytes: [UInt8]) -> String? {
        do { _ = try unpack(bytes) } catch let error as TarError { return "\(error.reason)" } catch {
            return "\(error)"
        }
        return nil
    }

    @Test(
        "data that nobody wants is passed over in a file, and one that is cut there is seen to be",
        arguments: [true, false])
    func passingOver(isWhole: Bool) throws {
        let bytes = Self.build {
            $0.file("a", String(repeating: "a", count: 3_000_000))
            $0.file("b", "beta")
        }
        let stream = try #require(tmpfile())
        let file = FileDescriptor(adopting: dup(fileno(stream)))
        fclose(stream)
        try (isWhole ? bytes : Array(bytes[..<2_000_000])).withUnsafeBytes { try file.writeAll($0) }
        try file.seek(to: 0)
        let reader = TarReader(BufferedChunks(FileSource(file), capacity: 4096))
        #expect(try reader.next()?.path == "a")
        if isWhole {
            #expect(try reader.next()?.path == "b")
            // What was read is the headers and little more, what was passed over is counted.
            #expect(reader.offset > 3_000_000)
            #expect(try reader.readData(limit: 10) == Array("beta".utf8))
            #expect(try reader.next() == nil && reader.hasEndMark)
        } else {
            #expect(throws: TarError.self) { try reader.next() }
        }
    }

    @Test("an archive reads the same in whatever pieces it arrives", arguments: [1, 3, 511, 513, 70000])
    func pieces(step: Int) throws {
        let bytes = Self.build {
            $0.file("a", "alpha")
            $0.header("d/", type: "5")
            $0.pax([("path", "a/long/name")])
            $0.file("x", String(repeating: "z", count: 1500))
        }
        let found = try unpack(bytes, step: step)
        #expect(found.map(\.0.path) == ["a", "d/", "a/long/name"])
        #expect(found[0].1 == Array("alpha".utf8))
        #expect(found[2].1.count == 1500)
    }

    @Test("a v7 directory is one by its slash, and its other fields are not read")
    func v7() throws {
        let bytes = Self.build {
            $0.header(
                "dir/", type: "\0",
                patches: [(257, [UInt8](repeating: 0, count: 8)), (329, Array("junk".utf8))])
        }
        #expect(try unpack(bytes)[0].0.kind == .directory)
    }

    @Test("ustar prefixes and GNU long names make whole names")
    func longNames() throws {
        let long = String(repeating: "n", count: 300)
        let bytes = Self.build {
            $0.header("base", patches: [(345, Array("some/prefix".utf8))])
            $0.header("././@LongLink", type: "K", size: 301)
            $0.data(Array(long.utf8) + [0])
            $0.header("././@LongLink", type: "L", size: 301)
            $0.data(Array(long.utf8) + [0])
            $0.header("short", type: "2", link: "short", patches: [(257, Array("ustar  \0".utf8))])
        }
        let found = try unpack(bytes).map(\.0)
        #expect(found[0].path == "some/prefix/base")
        #expect(found[1].path == RawString(long))
        #expect(found[1].linkTarget == RawString(long))
    }

    @Test("pax records override, global ones last, an empty value takes one back")
    func paxOverrides() throws {
        let bytes = Self.build {
            $0.pax([("uid", "70000"), ("mtime", "5.25")], type: "g")
            $0.pax([
                ("gid", "4294967294"), ("mtime", "-1.5"), ("atime", "1.000000001"), ("hdrcharset", "BINARY"),
            ])
            $0.file("one", "")
            $0.pax([("uid", "")])
            $0.file("two", "")
        }
        let found = try unpack(bytes).map(\.0)
        #expect(found[0].owner == 70000 && found[0].group == 4_294_967_294)
        #expect(found[0].modified.tv_sec == -2 && found[0].modified.tv_nsec == 500_000_000)
        #expect(found[0].accessed?.tv_nsec == 1)
        #expect(
            found[1].owner == 0 && found[1].modified.tv_sec == 5 && found[1].modified.tv_nsec == 250_000_000)
    }

    @Test("attributes are binary, and the second spelling of the same one is not a second one")
    func attributes() throws {
        let value: [UInt8] = [0, 10, 255, 61]
        let bytes = Self.build {
            $0.pax([
                ("SCHILY.xattr.user.a=b", [] as [UInt8]), ("SCHILY.xattr.security.capability", value),
                ("LIBARCHIVE.xattr.security.capability", Array("AAr/PQ==".utf8)),
                ("LIBARCHIVE.xattr.user.%C3%A4", Array("AAr/PQ".utf8)),
            ])
            $0.file("f", "")
        }
        let found = try unpack(bytes)[0].0.attributes
        #expect(found.contains(.init("security.capability", value)))
        #expect(found.contains(.init("user.ä", value)))
        #expect(found.count == 3)
    }

    @Test("base-256 numbers are sizes, owners and times, negative ones only times")
    func binaryNumbers() throws {
        let minusTwo = [UInt8](repeating: 0xff, count: 11) + [0xfe]
        let bytes = Self.build {
            $0.header("f", patches: [(108, [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]), (136, minusTwo)])
        }
        let entry = try unpack(bytes)[0].0
        #expect(entry.owner == 0x7fff_ffff)
        #expect(entry.modified.tv_sec == -2)
        let negativeSize = Self.build { $0.header("f", patches: [(124, minusTwo)]) }
        #expect(Self.reason(negativeSize) == "badNumber(field: \"size\")")
        let negativeOwner = Self.build {
            $0.header("f", patches: [(108, [UInt8](repeating: 0xff, count: 8))])
        }
        #expect(Self.reason(negativeOwner) == "badNumber(field: \"uid\")")
    }

    @Test(
        "times are decimal, of any size",
        arguments: [
            ("0", 0, 0), ("1.5", 1, 500_000_000), ("-0.25", -1, 750_000_000),
            ("12.1234567899", 12, 123_456_789),
            ("-3", -3, 0), ("99999999999999999999999", Int.max, 0), ("-99999999999999999999", -Int.max, 0),
            (".5", 0, 500_000_000), ("000000000000000000000007", 7, 0),
        ])
    func times(text: String, seconds: Int, nanoseconds: Int) throws {
        let time = try #require(PaxRecords.time(Array(text.utf8)))
        #expect(time.tv_sec == seconds && time.tv_nsec == nanoseconds)
    }

    @Test("what is no time is none", arguments: ["", "-", "x", "1e5", "1.2.3", "--1"])
    func noTimes(text: String) { #expect(PaxRecords.time(Array(text.utf8)) == nil) }

    @Test(
        "malformed extended headers are refused",
        arguments: [
            "5 a=", "99 path=x\n", "7 path=x\n", "-1 a=b\n", "6 =ab\n", "4 ab\n",
            "11111111111111111111 a=b\n", "0 a\n",
        ])
    func badRecords(text: String) {
        let bytes = Self.build {
            $0.header("p", type: "x", size: text.utf8.count)
            $0.data(Array(text.utf8))
            $0.file("f", "")
        }
        #expect(Self.reason(bytes) == "badExtendedHeader")
    }

    @Test("limits hold before memory is spent")
    func limits() {
        let hugeHeader = Self.build { $0.header("p", type: "x", size: 1 << 32) }
        #expect(
            Self.reason(hugeHeader)
                == "tooLong(part: \"extended header\", limit: \(TarReader.extendedHeaderLimit))")
        let hugeName = Self.build { $0.header("p", type: "L", size: 1 << 30) }
        #expect(Self.reason(hugeName)?.hasPrefix("tooLong(part: \"name\"") == true)
        let longPath = Self.build {
            $0.pax([("path", String(repeating: "a/", count: 140_000))])
            $0.file("f", "")
        }
        #expect(Self.reason(longPath)?.hasPrefix("tooLong(part: \"name\"") == true)
        let globals = Self.build {
            for index in 0..<4 { $0.pax([("k\(index)", String(repeating: "v", count: 500_000))], type: "g") }
        }
        #expect(Self.reason(globals)?.hasPrefix("tooLong(part: \"global header\"") == true)
    }

    @Test("as many attributes as a header holds do not take longer each", .timeLimit(.minutes(1)))
    func manyAttributes() throws {
        let bytes = Self.build {
            $0.pax((0..<40000).map { ("SCHILY.xattr.user.\($0)", "") }, type: "g")
            $0.pax((0..<100_000).map { ("SCHILY.xattr.user.\($0)", "x") })
            $0.file("f", "")
        }
        let found = try unpack(bytes)[0].0.attributes
        #expect(found.count == 100_000 && found.allSatisfy { $0.value == [0x78] })
    }

    @Test("a NUL in a name is refused, not a shorter name")
    func nul() {
        let bytes = Self.build {
            $0.pax([("path", [0x61, 0, 0x62])])
            $0.file("f", "")
        }
        #expect(Self.reason(bytes) == "badName")
    }

    @Test("a cut archive is an error wherever it is cut inside an entry")
    func truncated() throws {
        var tar = RawTar()
        tar.pax([("path", "renamed")])
        tar.file("a", String(repeating: "x", count: 700))
        // Behind the last byte of the last file only the end mark, which is then missing, tells that something is.
        let padding = 1024 - 700
        for count in 1..<(tar.bytes.count - padding) {
            #expect(Self.reason(Array(tar.bytes[..<count])) != nil, "cut at \(count)")
        }
        for count in [tar.bytes.count - padding, tar.bytes.count - 1] {
            let cut = TarReader(BufferedChunks(MemorySource(Array(tar.bytes[..<count]))))
            #expect(try cut.next()?.path == "renamed")
            #expect(try cut.next() == nil && !cut.hasEndMark)
        }
        let whole = TarReader(BufferedChunks(MemorySource(tar.bytes)))
        #expect(try whole.next()?.path == "renamed")
        #expect(try whole.next() == nil)
        #expect(!whole.hasEndMark)
    }

    @Test("one zero block at the end is enough, and what follows the end is nobody's")
    func ends() throws {
        var tar = RawTar()
        tar.file("a", "1")
        let one = tar.bytes + [UInt8](repeating: 0, count: 512)
        #expect(try unpack(one).count == 1)
        #expect(try unpack(one + [UInt8](repeating: 0xaa, count: 777)).count == 1)
        let reader = TarReader(BufferedChunks(MemorySource(one + [1, 2, 3])))
        try reader.drain()
        #expect(reader.offset == Int64(one.count + 3))
    }

    @Test("what is no archive is told from a damaged one")
    func checksums() {
        #expect(Self.reason(sampleBytes(2048)) == "notAnArchive")
        var bytes = Self.build {
            $0.file("a", "1")
            $0.file("b", "2")
        }
        bytes[1024 + 5] ^= 1
        #expect(Self.reason(bytes) == "badChecksum")
    }

    @Test("links and nodes have no data, whatever their size says")
    func headerOnly() throws {
        let bytes = Self.build {
            $0.header("h", type: "1", size: 4096, link: "x")
            $0.header("s", type: "2", size: 100, link: "y")
            $0.header(
                "c", type: "3", size: 9,
                patches: [(329, Array("0000001".utf8)), (337, Array("0000003".utf8))])
            $0.file("last", "here")
        }
        let found = try unpack(bytes)
        #expect(found.map(\.0.path) == ["h", "s", "c", "last"])
        #expect(found[2].0.major == 1 && found[2].0.minor == 3)
        #expect(found[3].1 == Array("here".utf8))
    }

    @Test(
        "sparse maps that lie are refused",
        arguments: ["0,5,3,5", "5,10", "0,99", "-1,2", "0,5,5", "9223372036854775807,9", "x"])
    func badMaps(map: String) {
        let bytes = Self.build {
            $0.pax([("GNU.sparse.size", "10"), ("GNU.sparse.map", map)])
            $0.file("f", "12345")
        }
        #expect(Self.reason(bytes) == "badSparseMap")
    }

    @Test(
        "GNU tar's sparse files are read in each of its formats",
        .enabled(if: hasCommand("tar")),
        arguments: [
            "gnu", "posix --sparse-version=0.0", "posix --sparse-version=0.1", "posix --sparse-version=1.0",
        ])
    func sparse(format: String) throws {
        // Enough pieces to need extension blocks.
        let make =
            "truncate -s 1M f; for i in $(seq 0 2 60); do printf data$i | dd of=f bs=1 seek=$((i*8192+5)) conv=notrunc; done"
        let bytes = try #require(shell("(\(make)) 2>/dev/null; tar -S --format=\(format) -cf - f; "))
        let found = try unpack(bytes)
        #expect(found.count == 1 && found[0].0.size == 1 << 20)
        #expect((found[0].0.stored?.count ?? 0) > 20)
        #expect(Array(found[0].1[(60 * 8192 + 5)...].prefix(6)) == Array("data60".utf8))
        #expect(found[0].1[100] == 0)
    }

    @Test("a few thousand broken archives neither crash nor hang")
    func mutations() throws {
        let base = Self.build {
            $0.pax([("comment", "g")], type: "g")
            $0.pax([("path", "p/q"), ("SCHILY.xattr.user.x", "v"), ("mtime", "1.5")])
            $0.file("a", String(repeating: "x", count: 600))
            $0.header("././@LongLink", type: "L", size: 150)
            $0.data([UInt8](repeating: 0x6e, count: 149) + [0])
            $0.header("s", type: "2", link: "t")
            $0.pax([
                ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "4096"),
                ("GNU.sparse.name", "sp"),
            ])
            $0.header("sp", size: 517)
            $0.data(Array("1\n1024\n5\n".utf8) + [UInt8](repeating: 0, count: 503) + Array("hello".utf8))
        }
        #expect(try unpack(base).count == 3)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = base
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            for start in stride(from: 0, to: bytes.count - 1024, by: 512) where Bool.random(using: &random) {
                fixChecksum(&bytes, at: start)
            }
            if let found = try? unpack(bytes) { #expect(found.count < 20) }
        }
    }

    /// Makes a broken header believable, where the block is a header at all.
    private func fixChecksum(_ bytes: inout [UInt8], at start: Int) {
        guard bytes[start + 257..<start + 262].elementsEqual(Array("ustar".utf8)) else { return }
        bytes.replaceSubrange(start + 148..<start + 156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
        bytes.replaceSubrange(start + 148..<start + 156, with: Array((RawTar.octal(sum, 6) + "\u{0} ").utf8))
    }
}
