import Archive
import Platform

/// What bytes are supposed to be.
package struct ExpectedContent: Sendable {
    package let digest: Digest?
    package let size: Int64?

    package init(digest: Digest? = nil, size: Int64? = nil) {
        self.digest = digest
        self.size = size
    }

    /// Whether there is anything to compare with.
    var isKnown: Bool { digest != nil || size != nil }
}

/// Counts and hashes bytes on their way.
struct StreamCheck: ~Copyable {
    private let expected: ExpectedContent
    private var hasher: DigestHasher?
    private var count: Int64 = 0

    init(_ expected: ExpectedContent) throws(MissingLibrary) {
        self.expected = expected
        if let digest = expected.digest { hasher = try DigestHasher(digest.algorithm) } else { hasher = nil }
    }

    /// Throws as soon as there are more bytes than there should be.
    mutating func update(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        count += Int64(bytes.count)
        if let size = expected.size, count > size { throw .wrongSize(expected: size, found: count) }
        hasher?.update(bytes)
    }

    /// Compares everything that was seen with what should have been.
    mutating func finish() throws(LayerError) {
        if let size = expected.size, count != size { throw .wrongSize(expected: size, found: count) }
        guard let digest = expected.digest, let hasher = hasher.take() else { return }
        let found = hasher.finish()
        guard found == digest else { throw .wrongDigest(expected: digest, found: found) }
    }
}

/// A source that is checked while it is read.
final class CheckedSource: ByteSource {
    private let source: any ByteSource
    private var check: StreamCheck

    init(_ source: any ByteSource, _ expected: ExpectedContent) throws(MissingLibrary) {
        self.source = source
        check = try StreamCheck(expected)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        try check.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    /// Reads what is left and compares.
    func finish() throws {
        let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 64)
        defer { rest.deallocate() }
        while try read(into: rest) > 0 {}
        try check.finish()
    }
}
