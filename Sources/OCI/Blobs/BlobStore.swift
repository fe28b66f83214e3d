import Libc
import Platform

/// Content by its digest.
extension ImageLayout {
    /// Whether the content is here, as far as its size tells; what it says is verified when it is read.
    package func has(_ descriptor: Descriptor) -> Bool {
        guard let folder = try? folder(descriptor.digest.algorithm, make: false),
            let status = try? folder.status(RawString(descriptor.digest.hex))
        else { return false }
        return status.kind == .regular && status.size == descriptor.size
    }

    /// Whether the content is here; what is small enough for a document is read, so that a damaged one is replaced.
    func hasVerified(_ descriptor: Descriptor) -> Bool {
        has(descriptor) && (descriptor.size > documentLimit || (try? read(descriptor)) != nil)
    }

    /// Opens content for reading.
    ///
    /// Read it through a `VerifiedReader`, unless what comes out of it is compared with a DiffID.
    package func open(_ descriptor: Descriptor) throws -> FileDescriptor {
        let file = try openAny(descriptor.digest)
        let status = try file.status()
        guard status.kind == .regular, status.size == descriptor.size else {
            throw BlobError.wrongSize(descriptor.digest, expected: descriptor.size, actual: status.size)
        }
        return file
    }

    func openAny(_ digest: Digest) throws -> FileDescriptor {
        do {
            return try folder(digest.algorithm, make: false)
                .openFile(RawString(digest.hex), O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch  where error.code == ENOENT {
            throw BlobError.missing(digest)
        }
    }

    /// The whole of a small blob, verified.
    package func read(_ descriptor: Descriptor) throws -> [UInt8] {
        guard descriptor.size <= documentLimit else {
            throw DocumentError.tooLarge(descriptor.digest.description)
        }
        var reader = try VerifiedReader(open(descriptor), for: descriptor)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(descriptor.size) + 1, alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        // The buffer has room for one byte too many: the verified end is only known by reading on.
        while true {
            let count = try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { return Array(buffer[..<filled]) }
            filled += count
        }
    }

    /// Keeps `bytes`, durably.
    @discardableResult
    package func put(_ bytes: [UInt8], mediaType: MediaType) throws -> Descriptor {
        let descriptor = Descriptor(
            mediaType: mediaType, digest: try Digest.of(bytes), size: Int64(bytes.count))
        try put(bytes, as: descriptor.digest)
        return descriptor
    }

    /// Keeps a document under the digest that it was verified against.
    func put(_ bytes: [UInt8], as digest: Digest) throws {
        let name = RawString(digest.hex)
        let folder = try folder(digest.algorithm, make: true)
        // The size alone tells nothing: a power cut leaves files of the right size without their content.
        if let kept = try? folder.readFile(name, limit: bytes.count), kept == bytes { return }
        try folder.replaceFile(name, with: bytes)
    }

    /// Removes content that turned out to be damaged; it is fetched again when it is wanted.
    package func evict(_ digest: Digest) {
        try? folder(digest.algorithm, make: false).removeFile(RawString(digest.hex))
    }

    /// Puts what `tops` lead to on the disk, as far as it is here.
    ///
    /// Pulled content is not flushed: it is verified when it is read, and fetched anew where a power cut took it. What
    /// nobody else has is flushed before it gets a name.
    func flush(_ tops: [Descriptor]) throws {
        for digest in Reach(tops, in: self).digests where holds(digest) {
            try openAny(digest).synchronize()
        }
        for algorithm in Digest.Algorithm.allCases {
            if let folder = try? folder(algorithm, make: false) { try folder.synchronize() }
        }
    }

    func folder(_ algorithm: Digest.Algorithm, make: Bool) throws(SystemError) -> Directory {
        let name = RawString(algorithm.rawValue)
        if make { return try blobs.openOrMakeDirectory(name, mode: 0o755) }
        return try blobs.openDirectory(name)
    }
}
