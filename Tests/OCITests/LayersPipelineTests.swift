import Archive
import Libc
import Platform
import Testing

@testable import OCI

@Suite("LayerPipeline") struct LayersPipelineTests {
    /// Gives endless zeros.
    private final class Zeros: ByteSource {
        private var left: Int
        init(_ count: Int) { left = count }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let count = min(left, buffer.count)
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            left -= count
            return count
        }
    }

    /// Fails after some bytes.
    private final class Broken: ByteSource {
        private var first: [UInt8]?
        init(_ bytes: [UInt8]) { first = bytes }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            guard let bytes = first else { throw SystemError("read", code: EIO) }
            first = nil
            buffer.copyBytes(from: bytes.prefix(buffer.count))
            return min(bytes.count, buffer.count)
        }
    }

    static let layer = Layer(.file("a", "alpha"), .file("b", String(repeating: "b", count: 100_000)))

    static func packed(_ bytes: [UInt8], _ format: Compression = .gzip) throws -> [UInt8] {
        let sink = MemorySink()
        let encoder = try format.encoder(sink)
        try encoder.write(bytes)
        try encoder.finish()
        return sink.bytes
    }

    static func expectation(_ bytes: [UInt8]) throws -> ExpectedContent {
        ExpectedContent(digest: try Digest.of(bytes), size: Int64(bytes.count))
    }

    private func apply(
        _ source: any ByteSource, _ scratch: LayersScratch, blob: ExpectedContent = ExpectedContent(),
        content: ExpectedContent = ExpectedContent()
    ) throws -> TreeReport {
        let applier = try LayerApplier(try Directory.open(HostPath(scratch.root)))
        return try LayerPipeline.apply(source, blob: blob, content: content, to: applier)
    }

    @Test("a layer that is what it should be is applied", arguments: Compression.allCases)
    func formats(format: Compression) throws {
        let scratch = try LayersScratch()
        let plain = try Self.layer.bytes()
        let blob = try Self.packed(plain, format)
        let report = try apply(
            MemorySource(blob), scratch, blob: Self.expectation(blob), content: Self.expectation(plain))
        #expect(report.files == 2 && report.bytes == 100_005)
        #expect(scratch.holds("[ \"$(cat a)\" = alpha ]"))
    }

    @Test("bytes behind the archive count for the digests")
    func trailing() throws {
        let scratch = try LayersScratch()
        let plain = try Self.layer.bytes() + [UInt8](repeating: 0, count: 9000)
        let blob = try Self.packed(plain) + [0, 0, 0]
        _ = try apply(
            MemorySource(blob), scratch, blob: Self.expectation(blob), content: Self.expectation(plain))
        #expect(throws: LayerError.self) {
            try apply(MemorySource(blob + [0]), scratch, blob: ExpectedContent(digest: Digest.of(blob)))
        }
    }

    @Test("other content, another DiffID, more and fewer bytes are errors")
    func mismatches() throws {
        let scratch = try LayersScratch()
        let plain = try Self.layer.bytes()
        let blob = try Self.packed(plain)
        let other = ExpectedContent(digest: try Digest.of([1]))
        #expect(throws: LayerError.self) { try apply(MemorySource(blob), scratch, blob: other) }
        #expect(throws: LayerError.self) { try apply(MemorySource(blob), scratch, content: other) }
        for change in [-1, 1] {
            let size = ExpectedContent(size: Int64(blob.count + change))
            #expect(throws: LayerError.self) { try apply(MemorySource(blob), scratch, blob: size) }
        }
    }

    @Test("a cut blob is an error wherever it is cut")
    func truncated() throws {
        let scratch = try LayersScratch()
        let blob = try Self.packed(Self.layer.bytes())
        for count in stride(from: 1, to: blob.count, by: 17) {
            #expect(throws: (any Error).self) { try apply(MemorySource(Array(blob[..<count])), scratch) }
        }
    }

    @Test("a failing source and a failing applier both end the thread")
    func failures() throws {
        let scratch = try LayersScratch()
        let plain = try Self.layer.bytes()
        #expect(throws: SystemError.self) { try apply(Broken(Array(plain[..<5000])), scratch) }
        // The applier gives up while the other thread has far more than the ring to say.
        var bad = try Layer(.link("x", to: "missing")).bytes().dropLast(1024)
        bad += try Self.packed([], .none)
        weak var source: Chain?
        do {
            let endless = Chain([MemorySource(Array(bad)), Zeros(1 << 30)])
            source = endless
            #expect(throws: TreeError.self) { try apply(endless, scratch) }
        }
        #expect(source == nil, "a thread still reads")
    }

    private final class Chain: ByteSource {
        private var sources: [any ByteSource]
        init(_ sources: [any ByteSource]) { self.sources = sources }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            while let first = sources.first {
                let count = try first.read(into: buffer)
                if count > 0 { return count }
                sources.removeFirst()
            }
            return 0
        }
    }

    @Test("a decompression bomb needs no memory", arguments: [Compression.gzip, .zstd])
    func bomb(format: Compression) throws {
        let scratch = try LayersScratch()
        // One header that promises 1 GiB, in a directory that a whiteout rule leaves out.
        var header = try Layer(.file("left/out").changing { $0.modified.tv_nsec = 0 }).bytes()[..<512]
        header.replaceSubrange(124..<136, with: Array("10000000000\u{0}".utf8))
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(148..<156, with: Array(("0" + sum + "\u{0} ").utf8.prefix(8)))
        let sink = MemorySink()
        let encoder = try format.encoder(sink, level: 1)
        try encoder.write(Array(header))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<1025 { try encoder.write(zeros) }
        try encoder.finish()
        // Other tests run beside this one in this process, so the best of five counts.
        var growths: [Int] = []
        while growths.count < 5, growths.last ?? .max >= 64 << 20 {
            try Self.forgetPeak()
            let before = Self.peakMemory()
            let applier = try LayerApplier(try Directory.open(HostPath(scratch.root)))
            _ = try LayerPipeline.apply(MemorySource(sink.bytes), to: applier, .plain(prefix: "elsewhere"))
            growths.append(Self.peakMemory() - before)
        }
        #expect(growths.contains { $0 < 64 << 20 }, "\(growths)")
    }

    /// Makes what the process has in memory now its peak (proc_pid_clear_refs(5)).
    private static func forgetPeak() throws {
        try FileDescriptor.open("/proc/self/clear_refs", O_WRONLY).writeAll("5")
    }

    /// Bytes.
    private static func peakMemory() -> Int {
        guard let file = try? FileDescriptor.open("/proc/self/status", O_RDONLY),
            let bytes = try? file.readAll(limit: 1 << 16)
        else { return 0 }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let peak = lines.first { $0.hasPrefix("VmHWM:") }?.split(separator: " ").dropFirst().first
        return peak.flatMap { Int($0) }.map { $0 * 1024 } ?? 0
    }
}
