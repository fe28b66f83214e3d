import Libc
import Platform
import TestSupport
import Testing

@Suite("A decompression bomb", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsFile("/usr/bin/time"))
struct DecompressionBombTests {
    /// Megabytes that the program may take, whatever it is fed.
    private static let limit = 64

    @Test("of gzipped zeros costs time, not memory", arguments: ["gzip -1", "xz -0", "zstd -1", "bzip2 -1"])
    func zeros(_ compressor: String) throws {
        let path = Scratch.path / "bomb"
        // No archive at all: half a gigabyte of zeros, which is also the end of an archive, over and over.
        try Run.shell("head -c 500M /dev/zero | \(compressor) >\"$1\"", path.rawValue)
        let (outcome, peak) = try measured("install", path.rawValue, "--name", "box")
        #expect(outcome.status == .failure)
        #expect(peak < Self.limit, "\(peak) MiB")
    }

    @Test("in a pax header or a long name is refused", arguments: [UInt8(ascii: "x"), UInt8(ascii: "L")])
    func header(_ type: UInt8) throws {
        var tar = TarBuilder()
        tar.addDirectories("bin", "etc", "usr")
        var block = [UInt8](repeating: 0, count: 512)
        for (index, byte) in "huge".utf8.enumerated() { block[index] = byte }
        for (index, byte) in "07777777777\u{0}".utf8.enumerated() { block[124 + index] = byte }
        block[156] = type
        for (index, byte) in "ustar\u{0}00".utf8.enumerated() { block[257 + index] = byte }
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        let field = String(repeating: "0", count: 6 - digits.utf8.count) + digits + "\u{0} "
        for (index, byte) in field.utf8.enumerated() { block[148 + index] = byte }
        tar.addRaw(block)
        let path = Scratch.path / "bomb"
        try TestImage.write(tar.archive, to: Scratch.path / "head")
        try Run.shell(
            "{ head -c -1024 \"$1/head\"; head -c 300M /dev/zero; } | gzip -1 >\"$1/bomb\"",
            Scratch.path.rawValue)
        let (outcome, peak) = try measured("install", path.rawValue, "--name", "box")
        #expect(outcome.status == .failure)
        #expect(peak < Self.limit, "\(peak) MiB")
    }

    @Test("in an image's own documents is refused")
    func document() throws {
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Run.shell("truncate -s 900M \"$1/index.json\"", image.layout.rawValue)
        let (outcome, peak) = try measured("install", image.layout.rawValue, "--name", "box")
        #expect(outcome.status == .failure)
        #expect(peak < Self.limit, "\(peak) MiB")
    }

    /// Runs the program under time(1); its outcome and its largest resident set in MiB.
    private func measured(_ arguments: String...) throws -> (Run.Outcome, Int) {
        let report = Scratch.path / "peak"
        let outcome = try Run.program(
            "/usr/bin/time", ["-f", "%M", "-o", report.rawValue, BuiltBinary.path] + arguments,
            environment: Program().environment, timeout: 300)
        let peak = try Run.shell("tail -1 \"$1\"", report.rawValue).dropLast()
        return (outcome, (Int(peak) ?? .max) / 1024)
    }
}
