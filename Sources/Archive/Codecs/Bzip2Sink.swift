import CBzip2

/// Compresses with bzip2.
package final class Bzip2Sink: ByteSink {
    private let sink: any ByteSink
    private var output = OutputBuffer()
    // libbz2 compares the address of the stream with the one that it was started with.
    private let stream: UnsafeMutablePointer<bz_stream>

    /// `level` is the block size in units of 100 kB, 1 to 9.
    package init(_ sink: any ByteSink, level: Int32 = 9) throws(CodecError) {
        self.sink = sink
        stream = .allocate(capacity: 1)
        stream.initialize(to: bz_stream())
        guard BZ2_bzCompressInit(stream, level, 0, 0) == BZ_OK else { throw .unavailable(.bzip2) }
    }

    deinit {
        BZ2_bzCompressEnd(stream)
        stream.deallocate()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: part.baseAddress?.assumingMemoryBound(to: CChar.self))
            stream.pointee.avail_in = UInt32(part.count)
            while stream.pointee.avail_in > 0 { _ = try step(BZ_RUN) }
            rest = rest.dropFirst(part.count)
        }
    }

    package func finish() throws {
        while try step(BZ_FINISH) != BZ_STREAM_END {}
        try sink.finish()
    }

    private func step(_ action: Int32) throws -> Int32 {
        stream.pointee.next_out = output.start.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = UInt32(OutputBuffer.capacity)
        let result = BZ2_bzCompress(stream, action)
        guard result >= 0 else { throw CodecError.unavailable(.bzip2) }
        try sink.write(output.prefix(OutputBuffer.capacity - Int(stream.pointee.avail_out)))
        return result
    }
}
