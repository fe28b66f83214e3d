import Archive
import Libc
import Platform

/// Bytes that compress a little, the same each time.
func sampleBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { index in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return index % 7 < 4 ? UInt8(truncatingIfNeeded: index / 64) : UInt8(truncatingIfNeeded: state >> 60)
    }
}

/// Gives at most `step` bytes at a time, so that everything is cut everywhere.
final class DrippingSource: ByteSource {
    private let bytes: [UInt8]
    private let step: Int
    private var position = 0

    init(_ bytes: [UInt8], step: Int) {
        self.bytes = bytes
        self.step = step
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(step, buffer.count, bytes.count - position)
        for index in 0..<count { buffer[index] = bytes[position + index] }
        position += count
        return count
    }
}

/// Runs a shell command on `input` and returns what it prints, or `nil` when it fails.
func shell(_ command: String, input: [UInt8] = []) -> [UInt8]? {
    var template = Array("/tmp/archive-tests-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { _ = system("rm -rf \(folder)") }
    do {
        let place = try Directory.open(HostPath(folder))
        try place.replaceFile("in", with: input)
        guard system("cd \(folder) && (\(command)) < in > out 2> errors") == 0 else { return nil }
        return try place.readFile("out", limit: 1 << 26)
    } catch {
        return nil
    }
}

func hasCommand(_ name: String) -> Bool { system("command -v \(name) > /dev/null") == 0 }
