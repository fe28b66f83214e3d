/// Bytes that are lent in large pieces, so that nobody has to copy them.
package protocol ChunkSource: AnyObject {
    /// The next piece, which stays valid until the next call; an empty one means the end.
    func next() throws -> UnsafeRawBufferPointer

    /// Passes over at most `count` bytes behind the last piece, and returns over how many; see `ByteSource.skip`.
    func skip(_ count: Int64) throws -> Int64
}

extension ChunkSource {
    package func skip(_ count: Int64) throws -> Int64 { 0 }
}

/// Lends the bytes of a `ByteSource` from a buffer of its own.
package final class BufferedChunks: ChunkSource {
    private let source: any ByteSource
    private let buffer: UnsafeMutableRawBufferPointer

    /// `capacity` is in bytes.
    package init(_ source: any ByteSource, capacity: Int = 1 << 18) {
        self.source = source
        buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { buffer.deallocate() }

    package func next() throws -> UnsafeRawBufferPointer {
        let count = try source.read(into: buffer)
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    package func skip(_ count: Int64) throws -> Int64 { try source.skip(count) }
}
