import CLzma

/// Decompresses xz (any number of streams) and the older `.lzma`.
package final class XzSource: ByteSource {
    private var input: InputWindow
    private let format: Compression
    private let stream: UnsafeMutablePointer<lzma_stream>
    private var isAtEnd = false

    /// Bytes that a decoder may use: a dictionary of 128 MiB and what goes with it.
    ///
    /// `xz -9` needs half of that.
    private static let memoryLimit: UInt64 = 160 << 20
    /// `LZMA_CONCATENATED`, a macro that Swift cannot read.
    private static let concatenated: UInt32 = 0x08

    package init(_ source: any ByteSource, _ format: Compression = .xz) throws(CodecError) {
        self.format = format
        input = InputWindow(source)
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
        let result =
            format == .lzma
            ? lzma_alone_decoder(stream, Self.memoryLimit)
            : lzma_stream_decoder(stream, Self.memoryLimit, Self.concatenated)
        guard result == LZMA_OK else { throw .unavailable(format) }
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !isAtEnd else { return 0 }
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = buffer.count
        while stream.pointee.avail_out > 0, !isAtEnd { try step() }
        return buffer.count - stream.pointee.avail_out
    }

    private func step() throws {
        let hasInput = try input.fill()
        let bytes = input.bytes
        stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = bytes.count
        let result = lzma_code(stream, hasInput ? LZMA_RUN : LZMA_FINISH)
        input.consume(bytes.count - stream.pointee.avail_in)
        switch result {
        case LZMA_OK: break
        case LZMA_STREAM_END: isAtEnd = true
        // Without input nothing more can come; with input the next call makes progress.
        case LZMA_BUF_ERROR: if !hasInput { throw CodecError.truncated(format) }
        case LZMA_MEMLIMIT_ERROR: throw CodecError.needsMemory(format)
        case LZMA_MEM_ERROR: throw CodecError.unavailable(format)
        default: throw CodecError.damaged(format)
        }
    }
}
