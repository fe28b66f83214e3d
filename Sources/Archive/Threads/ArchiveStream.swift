import Platform

/// Reading an archive from front to back while another thread decompresses what comes next.
package enum ArchiveStream {
    /// Buffers and bytes in each.
    private static let ring = (count: 8, capacity: 1 << 20)

    /// Lets `body` read the archive that `source` has, compressed in whatever way.
    ///
    /// An archive without its end mark is cut off, which is an error however far `body` has read. The thread has ended
    /// when this returns or throws. `observe` is told, in that thread, every byte of the archive as it is without
    /// compression.
    package static func read<Value>(
        _ source: any ByteSource, observing observe: @escaping (UnsafeRawBufferPointer) -> Void = { _ in },
        _ body: (TarReader) throws -> Value
    ) throws -> Value {
        let ring = ChunkRing(count: ring.count, capacity: ring.capacity)
        do {
            return try Worker.beside({ fill(ring, from: source, observing: observe) }) {
                defer {
                    ring.abandon()
                    // The other end of a pipe may say nothing for a long time.
                    source.interrupt()
                }
                let reader = TarReader(ring.reader(0))
                let value = try body(reader)
                while try reader.next() != nil {}
                guard reader.hasEndMark else { throw TarError(.noEndMark, offset: reader.offset) }
                try reader.drain()
                return value
            }
        } catch let error as TarError {
            // The words of what failed first are better than "the archive cannot be read".
            guard case .source(let cause) = error.reason else { throw error }
            throw cause
        }
    }

    /// Decompresses all of `source` into a ring, and calls `done` when it has ended.
    ///
    /// `isChecked` says that another reader of the ring compares the content with a digest.
    package static func fill(
        _ ring: ChunkRing, from source: any ByteSource, isChecked: Bool = false, done: () throws -> Void = {},
        observing observe: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) {
        do {
            let decoded = try Compression.open(source, isChecked: isChecked)
            while let room = ring.reserve() {
                let count = try decoded.readFully(into: room)
                if count == 0 {
                    try done()
                    break
                }
                observe(UnsafeRawBufferPointer(rebasing: room[..<count]))
                ring.commit(count)
            }
            ring.finish()
        } catch {
            ring.finish(error)
        }
    }
}
