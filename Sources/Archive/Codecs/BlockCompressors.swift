import CBzip2
import CDeflate
import CZlib
import CZstd

/// Members of gzip by libdeflate.
final class DeflateBlocks: BlockCompressor {
    private let compressor: OpaquePointer

    /// `nil` where the library is not installed.
    init?(level: Int32) {
        guard let compressor = cd_deflate_new(level) else { return nil }
        self.compressor = compressor
    }

    deinit { cd_deflate_free(compressor) }

    func compress(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
        let room = cd_deflate_bound(compressor, bytes.count)
        let member = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            count = cd_deflate_member(compressor, bytes.baseAddress, bytes.count, buffer.baseAddress, room)
        }
        guard !member.isEmpty else { throw .unavailable(.gzip) }
        return member
    }
}

/// Members of gzip by zlib.
final class ZlibBlocks: BlockCompressor {
    private let level: Int32

    init(level: Int32) { self.level = level }

    func compress(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
        do {
            let memory = MemorySink()
            let sink = try GzipSink(memory, level: level)
            try sink.write(bytes)
            try sink.finish()
            return memory.bytes
        } catch {
            throw .unavailable(.gzip)
        }
    }
}

/// Streams of bzip2.
final class Bzip2Blocks: BlockCompressor {
    private let level: Int32

    init(level: Int32) { self.level = level }

    func compress(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
        // What the manual promises to be enough: a hundredth more and 600 bytes.
        let room = bytes.count + bytes.count / 100 + 600
        var isDone = false
        let stream = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var length = UInt32(room)
            let source = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
            let result = buffer.withMemoryRebound(to: CChar.self) {
                BZ2_bzBuffToBuffCompress($0.baseAddress, &length, source, UInt32(bytes.count), level, 0, 0)
            }
            isDone = result == BZ_OK
            count = isDone ? Int(length) : 0
        }
        guard isDone else { throw .unavailable(.bzip2) }
        return stream
    }
}

/// Frames of zstd, each with a checksum.
final class ZstdBlocks: BlockCompressor {
    private let context: OpaquePointer

    init(level: Int32) throws(CodecError) {
        guard let context = ZSTD_createCCtx() else { throw .unavailable(.zstd) }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    func compress(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8] {
        let room = ZSTD_compressBound(bytes.count)
        let frame = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let size = ZSTD_compress2(context, buffer.baseAddress, room, bytes.baseAddress, bytes.count)
            count = ZSTD_isError(size) == 0 ? size : 0
        }
        guard !frame.isEmpty else { throw .unavailable(.zstd) }
        return frame
    }
}
