import Testing

@testable import Archive

@Suite("BufferedSink")
struct BufferedSinkTests {
    @Test("keeps pieces of every size in their order")
    func order() throws {
        let memory = MemorySink()
        let sink = BufferedSink(memory, capacity: 64)
        var expected: [UInt8] = []
        for (number, length) in [10, 40, 1, 32, 31, 64, 63, 2, 200, 0, 33, 33].enumerated() {
            let piece = [UInt8](repeating: UInt8(number), count: length)
            expected += piece
            try sink.write(piece)
        }
        try sink.finish()
        #expect(memory.bytes == expected)
    }
}
