import CZlib

/// Compresses with gzip (RFC 1952).
///
/// The header has no name and no time: equal bytes give equal files.
package final class GzipSink: ByteSink {
    private let sink: any ByteSink
    private var output = OutputBuffer()
    // zlib compares the address of the stream with the one that it was started with.
    private let stream: UnsafeMutablePointer<z_stream>

    /// `level` is from 1, fast, to 9, small.
    package init(_ sink: any ByteSink, level: Int32 = 6) throws(CodecError) {
        self.sink = sink
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let gzipFormat = MAX_WBITS + 16
        let result = deflateInit2_(
            stream, level, Z_DEFLATED, gzipFormat, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { throw .unavailable(.gzip) }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws { try run(bytes, Z_NO_FLUSH) }

    package func finish() throws {
        try run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
        try sink.finish()
    }

    private func run(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) throws {
        var rest = bytes[...]
        repeat {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: part.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(part.count)
            try deflatePart(flush)
            rest = rest.dropFirst(part.count)
        } while !rest.isEmpty
    }

    private func deflatePart(_ flush: Int32) throws {
        var isFull = true
        while isFull {
            stream.pointee.next_out = output.start.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(OutputBuffer.capacity)
            let result = deflate(stream, flush)
            guard result != Z_STREAM_ERROR else { throw CodecError.damaged(.gzip) }
            isFull = stream.pointee.avail_out == 0
            try sink.write(output.prefix(OutputBuffer.capacity - Int(stream.pointee.avail_out)))
        }
    }
}
