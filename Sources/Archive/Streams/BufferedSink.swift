/// Collects small pieces, so that a system call is made for many of them.
package final class BufferedSink: ByteSink {
    private let sink: any ByteSink
    private let buffer: UnsafeMutableRawBufferPointer
    private var filled = 0

    /// `capacity` is in bytes.
    package init(_ sink: any ByteSink, capacity: Int = 1 << 18) {
        self.sink = sink
        buffer = .allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        let isLarge = bytes.count >= buffer.count / 2
        // What came first goes first, whether or not there were room for both.
        if isLarge || bytes.count > buffer.count - filled { try flush() }
        if isLarge { return try sink.write(bytes) }
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: bytes)
        filled += bytes.count
    }

    package func finish() throws {
        try flush()
        try sink.finish()
    }

    private func flush() throws {
        guard filled > 0 else { return }
        try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        filled = 0
    }
}
