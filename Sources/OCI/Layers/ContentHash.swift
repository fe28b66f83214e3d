import Archive
import Libc
import Platform

/// The SHA-256 of a file's data: a guest that changes a file and puts size and times back cannot aim at it.
package struct ContentHash: Hashable, Sendable {
    /// In the order of memory.
    let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ bytes: some Collection<UInt8>) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes.prefix($0.count)) }
        self.words = words
    }

    /// Of the data that `source` still has of its current entry; holes are passed over.
    init(of source: any EntrySource) throws {
        var hasher = try DigestHasher(.sha256)
        while let stretch = try source.nextStretch() { hasher.update(stretch.bytes) }
        self.init(hasher.finishBytes())
    }

    package static func == (left: ContentHash, right: ContentHash) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    /// The hash as it stands.
    var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }
}
