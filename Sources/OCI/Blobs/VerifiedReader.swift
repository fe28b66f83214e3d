import Platform

/// Content that is checked while it is read: the end is only reached when size and digest are right.
package struct VerifiedReader: ~Copyable {
    private let file: FileDescriptor
    private let descriptor: Descriptor
    private var hasher: DigestHasher?
    private var count: Int64 = 0

    package init(_ file: consuming FileDescriptor, for descriptor: Descriptor) throws {
        hasher = try DigestHasher(descriptor.digest.algorithm)
        self.file = file
        self.descriptor = descriptor
    }

    /// Reads once; 0 means the verified end.
    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let read = try file.read(into: buffer)
        count += Int64(read)
        if read == 0 || count > descriptor.size {
            try finish()
            return 0
        }
        hasher?.update(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
        return read
    }

    /// Reads what nobody wants, up to the verified end.
    package mutating func drain() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { buffer.deallocate() }
        while try read(into: buffer) > 0 {}
    }

    private mutating func finish() throws {
        guard count == descriptor.size else {
            throw BlobError.wrongSize(descriptor.digest, expected: descriptor.size, actual: count)
        }
        guard let actual = hasher.take()?.finish() else { return }
        guard actual == descriptor.digest else {
            throw BlobError.wrongDigest(descriptor.digest, actual: actual)
        }
    }
}
