import CIsal
import CZlib

/// A decoder of raw DEFLATE data (RFC 1951).
protocol Inflater: AnyObject {
    /// Decodes as much as the input and the room allow.
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> InflateStep

    /// The bytes beyond the end of the stream that were consumed all the same.
    func takeRest() -> [UInt8]

    /// Gets ready for another stream.
    func reset()

    /// The CRC-32 of gzip, continued from `crc`.
    func checksum(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32
}

struct InflateStep {
    let consumed: Int
    let produced: Int
    let hasEnded: Bool
}

/// ISA-L's inflate: more than twice as fast as zlib's.
final class IsalInflater: Inflater {
    private let decoder: OpaquePointer

    /// `nil` where the library is not installed.
    init?() {
        guard let decoder = cd_isal_new() else { return nil }
        self.decoder = decoder
    }

    deinit { cd_isal_free(decoder) }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> InflateStep {
        var inputLeft = input.count
        var outputLeft = output.count
        let result = cd_isal_inflate(
            decoder, input.baseAddress?.assumingMemoryBound(to: UInt8.self), &inputLeft,
            output.baseAddress?.assumingMemoryBound(to: UInt8.self), &outputLeft)
        guard result >= 0 else { throw .damaged(.gzip) }
        return InflateStep(
            consumed: input.count - inputLeft, produced: output.count - outputLeft, hasEnded: result == 1)
    }

    func takeRest() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = cd_isal_take_rest(decoder, &bytes)
        return Array(bytes[..<count])
    }

    func reset() { cd_isal_reset(decoder) }

    func checksum(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        cd_isal_crc32(crc, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
}

/// zlib's inflate.
final class ZlibInflater: Inflater {
    // zlib compares the address of the stream with the one that it was started with.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(CodecError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let rawFormat = -MAX_WBITS
        guard inflateInit2_(stream, rawFormat, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            throw .unavailable(.gzip)
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> InflateStep {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(clamping: input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: output.count)
        let (given, room) = (stream.pointee.avail_in, stream.pointee.avail_out)
        let result = inflate(stream, Z_NO_FLUSH)
        // Z_BUF_ERROR only says that nothing could be done without more input or room.
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else { throw .damaged(.gzip) }
        return InflateStep(
            consumed: Int(given - stream.pointee.avail_in), produced: Int(room - stream.pointee.avail_out),
            hasEnded: result == Z_STREAM_END)
    }

    func takeRest() -> [UInt8] { [] }

    func reset() { inflateReset(stream) }

    func checksum(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(crc32_z(UInt(crc), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
    }
}
