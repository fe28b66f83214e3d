import Libc
import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("TarWriter") struct TarWriterTests {
    static func write(_ entries: [(TarEntry, [UInt8])]) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = TarWriter(sink)
        for (entry, data) in entries {
            try writer.append(entry)
            try writer.write(data)
        }
        try writer.finish()
        return sink.bytes
    }

    static func member(
        _ path: RawString, _ kind: TarEntry.Kind = .regular, _ change: (inout TarEntry) -> Void = { _ in }
    ) -> TarEntry {
        var entry = TarEntry(kind, path, permissions: 0o4751)
        change(&entry)
        return entry
    }

    @Test("writes times that no clock has", arguments: [Int.min, .min + 1, .max])
    func extremes(seconds: Int) throws {
        for nanoseconds in [0, 1] {
            let entry = Self.member("x") { $0.modified = timespec(tv_sec: seconds, tv_nsec: nanoseconds) }
            let text = String(decoding: try Self.write([(entry, [])]), as: UTF8.self)
            #expect(text.contains("mtime=\(seconds < 0 ? "-922337203" : "922337203")"))
        }
    }

    static let difficult: [TarEntry] = [
        member("plain"),
        member("dir/", .directory),
        member(RawString(String(repeating: "d/", count: 80) + "file")),
        member(RawString(String(repeating: "x", count: 260))),
        member(RawString(String(repeating: "y", count: 100) + "/" + String(repeating: "z", count: 100))),
        member("ünïcode"),
        member(RawString(bytes: [0x61, 0xff, 0xfe]) ?? ""),
        member("new\nline"),
        member("s", .symbolicLink) { $0.linkTarget = RawString(String(repeating: "t", count: 200)) },
        member("h", .hardLink) { $0.linkTarget = "plain" },
        member("c", .characterDevice) { ($0.major, $0.minor) = (511, 1_048_575) },
        member("p", .fifo),
        member("ids") { ($0.owner, $0.group) = (4_294_967_294, 2_097_152) },
        member("old") { $0.modified = timespec(tv_sec: -2, tv_nsec: 250_000_000) },
        member("ancient") { $0.modified = timespec(tv_sec: -3, tv_nsec: 0) },
        member("future") { $0.modified = timespec(tv_sec: 1 << 40, tv_nsec: 1) },
        member("read") { $0.accessed = timespec(tv_sec: 5, tv_nsec: 120) },
        member("capable") {
            $0.attributes = [.init("security.capability", [1, 0, 10]), .init("user.ü", [])]
        },
        member("signs") {
            $0.attributes = [.init("user.a=b%3Dc%25d%2", [1]), .init("user.a", Array("=b".utf8))]
        },
        member(RawString(String(repeating: "deep/", count: 2000) + "file")),
        member(RawString(String(repeating: "deep/", count: 2000) + "folder"), .directory),
        member("far", .hardLink) { $0.linkTarget = RawString(String(repeating: "deep/", count: 2000) + "f") },
        member("rich") {
            $0.attributes = (0..<5000).map {
                .init(RawString("user.\($0)"), [UInt8](repeating: 1, count: 200))
            }
        },
        member("named") {
            ($0.ownerName, $0.groupName) = ("root", RawString(String(repeating: "g", count: 40)))
        },
    ]

    @Test("everything that goes in comes out", arguments: difficult.indices)
    func roundTrip(index: Int) throws {
        let entry = Self.difficult[index]
        let found = try unpack(Self.write([(entry, []), (Self.member("last"), [])]))
        #expect(found.count == 2)
        let back = try #require(found.first?.0)
        let slash: [UInt8] = entry.kind == .directory && entry.path.bytes.last != 0x2f ? [0x2f] : []
        #expect(back.path.bytes == entry.path.bytes + slash)
        #expect(back.kind == entry.kind && back.linkTarget == entry.linkTarget)
        #expect(back.permissions == 0o4751 && back.owner == entry.owner && back.group == entry.group)
        #expect(
            back.modified.tv_sec == entry.modified.tv_sec && back.modified.tv_nsec == entry.modified.tv_nsec)
        #expect(back.accessed?.tv_nsec == entry.accessed?.tv_nsec)
        #expect(back.major == entry.major && back.minor == entry.minor)
        #expect(back.attributes == entry.attributes)
        #expect(back.ownerName == entry.ownerName && back.groupName == entry.groupName)
    }

    @Test("writes attributes' names as GNU tar does, and as it reads them", .enabled(if: hasCommand("tar")))
    func attributeNames() throws {
        let entry = Self.member("f") { $0.attributes = [.init("user.a=b%c", [0x78])] }
        let bytes = try Self.write([(entry, [])])
        #expect(bytes.firstRange(of: Array("SCHILY.xattr.user.a%3Db%25c=x\n".utf8)) != nil)
        let listed = try #require(shell("tar --xattrs --xattrs-include='*' -tvvf -", input: bytes))
        #expect(listed.firstRange(of: Array("user.a=b%c".utf8)) != nil)
    }

    @Test("refuses what its own reader would not take back")
    func tooLong() throws {
        let name = RawString(String(repeating: "x", count: TarReader.nameLimit))
        #expect(throws: TarWriter.Misuse.tooLong(name)) { try Self.write([(Self.member(name), [])]) }
        let link = Self.member("l", .hardLink) { $0.linkTarget = name }
        #expect(throws: TarWriter.Misuse.tooLong("l")) { try Self.write([(link, [])]) }
        let rich = Self.member("f") {
            $0.attributes = (0..<70).map {
                .init(RawString("user.\($0)"), [UInt8](repeating: 1, count: 1 << 16))
            }
        }
        #expect(throws: TarWriter.Misuse.tooLong("f")) { try Self.write([(rich, [])]) }
        // The longest that it writes is read.
        let longest = RawString(String(repeating: "x/", count: TarReader.nameLimit / 2 - 1) + "x")
        let back = try unpack(Self.write([(Self.member(longest, .directory), [])]))[0].0
        #expect(back.path.bytes.count == TarReader.nameLimit)
    }

    @Test("a sparse file keeps its holes")
    func sparse() throws {
        let sparse = Self.member("holes") {
            $0.size = 1 << 20
            $0.stored = [SparseExtent(offset: 4096, length: 5), SparseExtent(offset: 8192, length: 3)]
        }
        let found = try unpack(Self.write([(sparse, Array("helloabc".utf8))]))
        #expect(found[0].0.stored == sparse.stored && found[0].0.size == 1 << 20)
        #expect(Array(found[0].1[4096..<4101]) == Array("hello".utf8))
        #expect(Array(found[0].1[8192..<8195]) == Array("abc".utf8))
    }

    @Test("data that does not fit its size is refused")
    func wrongSize() throws {
        let file = Self.member("f") { $0.size = 3 }
        #expect(throws: TarWriter.Misuse.wrongSize("f")) { try Self.write([(file, [1, 2])]) }
        #expect(throws: TarWriter.Misuse.wrongSize("f")) { try Self.write([(file, [1, 2, 3, 4])]) }
    }

    @Test(
        "other programs list the same names", .needsProgram("tar", "bsdtar"),
        arguments: ["tar -tf -", "bsdtar -tf -"])
    func otherPrograms(command: String) throws {
        let names = Self.difficult.map(\.path).filter { $0.bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
        let bytes = try Self.write(names.map { (Self.member($0), []) })
        let listed = try #require(shell(command, input: bytes))
        #expect(listed.split(separator: 10).map { RawString(bytes: $0) ?? "" } == names)
    }

    @Test("GNU tar unpacks our sparse files", .enabled(if: hasCommand("tar")))
    func gnuSparse() throws {
        let sparse = Self.member("holes") {
            $0.size = 100_000
            $0.stored = [SparseExtent(offset: 50_000, length: 5)]
        }
        let bytes = try Self.write([(sparse, Array("hello".utf8))])
        let out = try #require(shell("tar -xf - && cat holes", input: bytes))
        #expect(out.count == 100_000 && Array(out[50_000..<50_005]) == Array("hello".utf8))
    }
}
