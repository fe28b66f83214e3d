import CZstd

/// Compresses with zstd, and with a checksum.
package final class ZstdSink: ByteSink {
    private let sink: any ByteSink
    private var output = OutputBuffer()
    private let context: OpaquePointer

    /// `level` is from 1, fast, to 19, small.
    package init(_ sink: any ByteSink, level: Int32 = 3) throws(CodecError) {
        guard let context = ZSTD_createCCtx() else { throw .unavailable(.zstd) }
        self.sink = sink
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while input.pos < input.size { _ = try step(&input, ZSTD_e_continue) }
    }

    package func finish() throws {
        var input = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try step(&input, ZSTD_e_end) > 0 {}
        try sink.finish()
    }

    private func step(_ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective) throws -> Int {
        var room = ZSTD_outBuffer(dst: output.start, size: OutputBuffer.capacity, pos: 0)
        let left = ZSTD_compressStream2(context, &room, &input, directive)
        guard ZSTD_isError(left) == 0 else { throw CodecError.unavailable(.zstd) }
        try sink.write(output.prefix(room.pos))
        return left
    }
}
