import Archive
import Libc
import Platform
import Testing

@testable import OCI

/// Archives and layers that are damaged at random, and unpacked all the same.
///
/// `CHROOT_DISTRO_FUZZ_SECONDS` sets how long, and `CHROOT_DISTRO_FUZZ_SEED` repeats a run; `scripts/fuzz` sets both.
@Suite("Fuzzing") struct LayersFuzzTests {
    private static func number(_ variable: String) -> UInt64? {
        getenv(variable).flatMap { UInt64(String(cString: $0)) }
    }

    /// xorshift64*: the same numbers for the same seed.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 2_685_821_657_736_338_717
        }
    }

    @Test("no archive crashes, leaks or writes outside, however it is damaged")
    func damaged() throws {
        let seconds = Self.number("CHROOT_DISTRO_FUZZ_SECONDS") ?? 60
        let seed = Self.number("CHROOT_DISTRO_FUZZ_SEED") ?? UInt64.random(in: 1 ... .max)
        var random = Random(state: seed)
        let corpus = try Self.corpus()
        let scratch = try LayersScratch()
        let root = HostPath(scratch.root)
        let end = time(nil) + Int(seconds)
        var (rounds, memory) = (0, 0)
        let descriptors = try Self.openDescriptors(below: scratch.path)
        while time(nil) < end {
            let archive = Self.mutate(corpus, &random)
            let rules: MemberRules = Bool.random(using: &random) ? .layer : .plain(prefix: "a")
            let applier = try LayerApplier(try Directory.open(root))
            // Any answer will do but a crash.
            _ = try? LayerPipeline.apply(MemorySource(archive), to: applier, rules)
            try TreeRemoval().empty(try Directory.open(root))
            rounds += 1
            if rounds % 256 == 0 {
                try #require(
                    scratch.canariesLive, "something outside was touched: seed \(seed), round \(rounds)")
            }
            if rounds == 512 { memory = try Self.residentKiB() }
        }
        #expect(scratch.canariesLive, "seed \(seed)")
        #expect(rounds > 100, "only \(rounds) rounds")
        #expect(
            try Self.openDescriptors(below: scratch.path) == descriptors, "descriptors leak: seed \(seed)")
        // Other tests run beside this one, and have memory in use.
        if rounds > 2048 {
            #expect(try Self.residentKiB() < memory + 600_000, "memory leaks: seed \(seed)")
        }
    }

    /// How many files of this process are open there; other tests have theirs elsewhere.
    private static func openDescriptors(below path: String) throws -> Int {
        let folder = try Directory.open("/proc/self/fd")
        return try folder.entries().count { entry in
            (try? folder.readSymbolicLink(entry.name))?.text.hasPrefix(path) == true
        }
    }

    private static func residentKiB() throws -> Int {
        let text = String(
            decoding: try FileDescriptor.open("/proc/self/statm", O_RDONLY).readAll(limit: 256), as: UTF8.self
        )
        return (Int(text.split(separator: " ")[1]) ?? 0) * 4
    }

    // MARK: - What is damaged

    private static func corpus() throws -> [[UInt8]] {
        var sparse = Member.file("a/sparse", "middle")
        sparse.entry.size = 1 << 20
        sparse.entry.stored = [SparseExtent(offset: 4096, length: 6)]
        let long = RawString(String(repeating: "long/", count: 60) + "name")
        let attributes = Member.file("a/x").changing {
            $0.attributes = [
                .init("user.note", [1, 2]), .init("security.capability", [UInt8](repeating: 0, count: 20)),
            ]
        }
        let layers = [
            Layer(
                .directory("a", mode: 0o755), .file("a/f", String(repeating: "text", count: 400)),
                .link("a/g", to: "a/f")),
            Layer(
                .symlink("a", to: "../outside"), .file("a/file", "evil"), .symlink("b", to: "/"),
                .file("b/outside/file")),
            Layer(
                .file("a/../../outside/file", "evil"), .file("/outside/file"),
                .link("h", to: "../outside/file")),
            Layer(
                .file(".wh.a"), .file("a/.wh..wh..opq"), .file("a/.wh.f"), .fifo("p"),
                .device("c", major: 1, minor: 3)),
            Layer(sparse, attributes, .file(long), .symlink("a/l", to: long), .directory("d", mode: 0)),
            Layer(
                .symlink("a/loop", to: "loop"), .file("a/loop/x"), .directory("a/loop"),
                .file("a/loop/.wh..wh..opq")),
        ]
        var corpus = try layers.map { try $0.bytes() }
        for (index, format) in [Compression.gzip, .zstd, .xz, .bzip2].enumerated() {
            let memory = MemorySink()
            let encoder = try format.encoder(memory)
            try encoder.write(corpus[index])
            try encoder.finish()
            corpus.append(memory.bytes)
        }
        for command in ["gnu", "pax", "ustar", "v7"] {
            let path = "/var/tmp/fuzz-\(getpid())-\(command)"
            let made = LayersScratch.sh(
                "mkdir \(path) && cd \(path) && mkdir a && truncate -s 100K a/s && printf x >>a/s && ln -s /etc a/l"
                    + " && tar --format=\(command) -Scf t a 2>/dev/null")
            defer { LayersScratch.sh("rm -rf \(path)") }
            if made {
                corpus.append(
                    try FileDescriptor.open(HostPath("\(path)/t"), O_RDONLY).readAll(limit: 1 << 20))
            }
        }
        return corpus
    }

    private static func mutate(_ corpus: [[UInt8]], _ random: inout Random) -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeLast(bytes.count - place)
            case 3:
                // Blocks of another archive in the middle.
                let other = corpus.randomElement(using: &random) ?? []
                let start = Int.random(in: 0...other.count / 512, using: &random) * 512
                bytes.insert(contentsOf: other[start..<min(other.count, start + 1536)], at: place / 512 * 512)
            case 4: bytes.removeSubrange(place / 512 * 512..<min(bytes.count, place / 512 * 512 + 512))
            default: damageHeader(&bytes, at: place / 512 * 512, &random)
            }
        }
        return bytes
    }

    /// Changes a field of a header and makes its checksum right again, so that the damage is believed.
    private static func damageHeader(_ bytes: inout [UInt8], at start: Int, _ random: inout Random) {
        guard start + 512 <= bytes.count else { return }
        let fields = [
            (0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100), (345, 155),
            (386, 126),
        ]
        let (field, length) = fields.randomElement(using: &random) ?? (0, 100)
        let values: [[UInt8]] = [
            Array("../../outside/file".utf8), Array("77777777777".utf8),
            [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0xff], Array("a/f".utf8), [], Array("LKxgS12345670VM".utf8.shuffled(using: &random)),
            Array("/".utf8),
        ]
        for (index, byte) in (values.randomElement(using: &random) ?? []).prefix(length).enumerated() {
            bytes[start + field + index] = byte
        }
        var sum = 8 * 0x20
        for index in start..<start + 512 where !(start + 148..<start + 156).contains(index) {
            sum += Int(bytes[index])
        }
        let digits = Array(String(sum, radix: 8).utf8)
        for index in 0..<8 { bytes[start + 148 + index] = index < digits.count ? digits[index] : 0 }
    }
}
