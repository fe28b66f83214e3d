import CLzma

/// Compresses with xz, and with a CRC-64.
package final class XzSink: ByteSink {
    private let sink: any ByteSink
    private var output = OutputBuffer()
    private let stream: UnsafeMutablePointer<lzma_stream>

    /// `preset` is from 0, fast, to 9, small and with much memory; `threads` are as many as may be used, less where they
    /// would take more than a quarter of this machine's memory.
    package init(_ sink: any ByteSink, preset: UInt32 = 6, threads: Int = 1) throws(CodecError) {
        self.sink = sink
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
        var options = lzma_mt()
        options.threads = UInt32(clamping: threads)
        options.preset = preset
        options.check = LZMA_CHECK_CRC64
        while options.threads > 1, lzma_stream_encoder_mt_memusage(&options) > Self.memoryLimit {
            options.threads -= 1
        }
        let result =
            options.threads > 1
            ? lzma_stream_encoder_mt(stream, &options)
            : lzma_easy_encoder(stream, preset, LZMA_CHECK_CRC64)
        guard result == LZMA_OK else { throw .unavailable(.xz) }
    }

    private static var memoryLimit: UInt64 { max(256 << 20, lzma_physmem() / 4) }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = bytes.count
        while stream.pointee.avail_in > 0 { _ = try step(LZMA_RUN) }
    }

    package func finish() throws {
        stream.pointee.next_in = nil
        stream.pointee.avail_in = 0
        while try step(LZMA_FINISH) != LZMA_STREAM_END {}
        try sink.finish()
    }

    private func step(_ action: lzma_action) throws -> lzma_ret {
        stream.pointee.next_out = output.start.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = OutputBuffer.capacity
        let result = lzma_code(stream, action)
        guard result == LZMA_OK || result == LZMA_STREAM_END else { throw CodecError.unavailable(.xz) }
        try sink.write(output.prefix(OutputBuffer.capacity - stream.pointee.avail_out))
        return result
    }
}
