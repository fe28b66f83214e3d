import CZstd

/// Decompresses zstd (RFC 8878): any number of frames, with windows of at most 128 MiB.
package final class ZstdSource: ByteSource {
    private var input: InputWindow
    private let context: OpaquePointer
    /// The answer of the last step: 0 at the end of a frame.
    private var expected = 0
    private var isAtEnd = false

    private static let largestWindow: Int32 = 27

    package init(_ source: any ByteSource) throws(CodecError) {
        guard let context = ZSTD_createDCtx() else { throw .unavailable(.zstd) }
        self.context = context
        input = InputWindow(source)
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.largestWindow)
    }

    deinit { ZSTD_freeDCtx(context) }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos < output.size, !isAtEnd {
            let before = output.pos
            let hasInput = try input.fill()
            if !hasInput, expected == 0 {
                isAtEnd = true
                break
            }
            let bytes = input.bytes
            var chunk = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            expected = ZSTD_decompressStream(context, &output, &chunk)
            input.consume(chunk.pos)
            if ZSTD_isError(expected) != 0 { throw failure() }
            if !hasInput, output.pos == before, expected != 0 { throw CodecError.truncated(.zstd) }
        }
        return output.pos
    }

    private func failure() -> CodecError {
        switch ZSTD_getErrorCode(expected) {
        case ZSTD_error_frameParameter_windowTooLarge: .needsMemory(.zstd)
        case ZSTD_error_memory_allocation: .unavailable(.zstd)
        default: .damaged(.zstd)
        }
    }
}
