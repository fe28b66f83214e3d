import Archive
import Platform

/// Reads, checks, decompresses and applies a layer in one pass.
///
/// A second thread reads, hashes the compressed bytes and decompresses; the caller's hashes what comes out and
/// writes the files. The thread has ended when a call returns or throws. Memory: the ring and one decoder.
package enum LayerPipeline {
    /// Buffers and bytes in each.
    private static let ring = (count: 8, capacity: 1 << 20)

    /// Applies one layer, or another archive, from compressed bytes of any kind.
    ///
    /// `blob` is what `source` is to be, `content` what decompression is to make of it (the DiffID). Throws
    /// `LayerError`, `TarError` or what `source` throws; the root is then good for nothing.
    package static func apply(
        _ source: any ByteSource, blob: ExpectedContent = ExpectedContent(),
        content: ExpectedContent = ExpectedContent(),
        to applier: LayerApplier, _ rules: MemberRules = .layer,
        outside: (TarEntry, TarReader) throws -> Void = { _, _ in }
    ) throws -> LayerReport {
        let ring = ChunkRing(count: ring.count, capacity: ring.capacity)
        let checked = try CheckedSource(source, blob)
        let chunks = try CheckedChunks(ring, content)
        let worker = try start { fill(ring, from: checked) }
        let outcome = Result {
            let reader = TarReader(chunks)
            let report = try applier.apply(reader, rules, outside: outside)
            // A digest says for sure that nothing was cut off, and some writers of layers leave the mark out.
            if content.digest == nil, !reader.hasEndMark { throw TarError(.noEndMark, offset: reader.offset) }
            try reader.drain()
            try chunks.finish()
            return report
        }
        ring.abandon()
        worker.join()
        do { return try outcome.get() } catch let error as TarError {
            // The words of what failed first are better than "the archive cannot be read".
            guard case .source(let cause) = error.reason else { throw error }
            throw cause
        }
    }

    private static func start(_ body: @escaping () -> Void) throws(LayerError) -> Worker {
        do { return try Worker(body) } catch { throw .noThread(error) }
    }

    private static func fill(_ ring: ChunkRing, from source: CheckedSource) {
        do {
            let decoded = try Compression.open(source)
            while let room = ring.reserve() {
                let count = try decoded.readFully(into: room)
                if count == 0 {
                    try source.finish()
                    break
                }
                ring.commit(count)
            }
            ring.finish()
        } catch {
            ring.finish(error)
        }
    }
}
