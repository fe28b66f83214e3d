import Archive
import Platform

/// Reads, decompresses, checks and applies a layer in one pass.
///
/// ```
/// source ── check, decompress ──┬── hash: is it the content that was expected?
///    one thread                 │      another thread
///                               └── write the files
///                                      the caller's thread
/// ```
/// The threads have ended when a call returns or throws. Memory: the ring and one decoder.
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
    ) throws -> TreeReport {
        let ring = ChunkRing(
            count: ring.count, capacity: ring.capacity, readers: content.isKnown ? 2 : 1)
        let checked = try CheckedSource(source, blob)
        let verdict = content.isKnown ? try Verdict(content, on: ring) : nil
        let outcome = Result {
            try Worker.beside({
                ArchiveStream.fill(ring, from: checked, isChecked: content.digest != nil) {
                    try checked.finish()
                }
            }) {
                defer { ring.abandon() }
                guard let verdict else {
                    return try write(ring, to: applier, rules, needsEndMark: true, outside)
                }
                return try Worker.beside({ verdict.reach() }) {
                    try write(ring, to: applier, rules, needsEndMark: content.digest == nil, outside)
                }
            }
        }
        do {
            let report = try outcome.get()
            try verdict?.result.get()
            return report
        } catch let error as TarError {
            // The words of what failed first are better than "the archive cannot be read".
            guard case .source(let cause) = error.reason else { throw error }
            throw cause
        }
    }

    private static func write(
        _ ring: ChunkRing, to applier: LayerApplier, _ rules: MemberRules, needsEndMark: Bool,
        _ outside: (TarEntry, TarReader) throws -> Void
    ) throws -> TreeReport {
        do {
            let reader = TarReader(ring.reader(0))
            let report = try applier.apply(reader, rules, outside: outside)
            // A digest says for sure that nothing was cut off, and some writers of layers leave the mark out.
            if needsEndMark, !reader.hasEndMark { throw TarError(.noEndMark, offset: reader.offset) }
            try reader.drain()
            return report
        } catch {
            ring.abandon()
            throw error
        }
    }

    /// What is found out about the content while it is written.
    private final class Verdict {
        private let ring: ChunkRing
        private let chunks: ChunkRing.Reader
        private var check: StreamCheck
        /// To be read when `reach` has returned.
        private(set) var result: Result<Void, any Error> = .success(())

        init(_ expected: ExpectedContent, on ring: ChunkRing) throws(MissingLibrary) {
            self.ring = ring
            chunks = ring.reader(1)
            check = try StreamCheck(expected)
        }

        func reach() {
            result = Result {
                while case let chunk = try chunks.next(), !chunk.isEmpty { try check.update(chunk) }
                try check.finish()
            }
            if case .failure(let error) = result { ring.abandon(error) }
        }
    }
}
