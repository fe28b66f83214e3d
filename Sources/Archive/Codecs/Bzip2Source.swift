import CBzip2

/// Decompresses bzip2: any number of streams; garbage after the last one is ignored, as bzip2 does.
package final class Bzip2Source: ByteSource {
    private enum State { case betweenStreams, inStream, atEnd }

    private var input: InputWindow
    // libbz2 compares the address of the stream with the one that it was started with.
    private let stream: UnsafeMutablePointer<bz_stream>
    private var state = State.betweenStreams
    private var hasSeenStream = false

    package init(_ source: any ByteSource) {
        input = InputWindow(source)
        stream = .allocate(capacity: 1)
        stream.initialize(to: bz_stream())
    }

    deinit {
        if state == .inStream { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            switch state {
            case .betweenStreams: try beginStream()
            case .inStream: filled += try step(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            case .atEnd: return filled
            }
        }
        return filled
    }

    private func beginStream() throws {
        guard try input.fill() else {
            guard hasSeenStream else { throw CodecError.truncated(.bzip2) }
            return state = .atEnd
        }
        stream.pointee = bz_stream()
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { throw CodecError.unavailable(.bzip2) }
        state = .inStream
    }

    private func step(_ room: UnsafeMutableRawBufferPointer) throws -> Int {
        let hasInput = try input.fill()
        let bytes = input.bytes
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = UInt32(clamping: room.count)
        let roomGiven = stream.pointee.avail_out
        let result = BZ2_bzDecompress(stream)
        input.consume(bytes.count - Int(stream.pointee.avail_in))
        let produced = Int(roomGiven - stream.pointee.avail_out)
        switch result {
        case BZ_STREAM_END: endStream()
        case BZ_OK: if !hasInput, produced == 0 { throw CodecError.truncated(.bzip2) }
        case BZ_MEM_ERROR: throw CodecError.unavailable(.bzip2)
        case BZ_DATA_ERROR_MAGIC where hasSeenStream:
            BZ2_bzDecompressEnd(stream)
            state = .atEnd
        default: throw CodecError.damaged(.bzip2)
        }
        return produced
    }

    private func endStream() {
        BZ2_bzDecompressEnd(stream)
        hasSeenStream = true
        state = .betweenStreams
    }
}
