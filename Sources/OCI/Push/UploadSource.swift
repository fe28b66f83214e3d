import Platform

/// The bytes of a blob on their way out, verified as they go.
///
/// The last of them are only handed out when the whole is what its digest says: nobody can end an upload with
/// something else.
final class UploadSource {
    let descriptor: Descriptor
    private let file: FileDescriptor
    private var hasher: DigestHasher?
    /// Bytes from the start that have been hashed.
    private var hashed: Int64 = 0
    private var position: Int64 = 0
    private var end: Int64
    /// Why no more bytes were given.
    private(set) var problem: (any Error)?
    /// Told how many bytes of the whole have been handed out.
    var tell: (Int64) -> Void = { _ in }

    init(_ descriptor: Descriptor, in store: borrowing ImageLayout) throws {
        self.descriptor = descriptor
        file = try store.open(descriptor)
        hasher = try DigestHasher(descriptor.digest.algorithm)
        end = descriptor.size
    }

    /// Hands out `range` next, which may begin anywhere; what lies before it is hashed first.
    func seek(to range: Range<Int64>) throws {
        problem = nil
        end = range.upperBound
        position = min(hashed, range.lowerBound)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while position < range.lowerBound {
            let room = Int(min(Int64(buffer.count), range.lowerBound - position))
            _ = try take(UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
        }
    }

    /// Fills some of `buffer`; 0 at the end of the range, `nil` when something is wrong with the content.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard position < end else { return 0 }
        let room = Int(min(Int64(buffer.count), end - position))
        do {
            let count = try take(UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            tell(position)
            return count
        } catch {
            problem = error
            return nil
        }
    }

    private func take(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try file.read(into: buffer, at: position)
        guard count > 0 else {
            throw BlobError.wrongSize(descriptor.digest, expected: descriptor.size, actual: position)
        }
        let fresh = Int(position + Int64(count) - hashed)
        if fresh > 0 {
            hasher?.update(UnsafeRawBufferPointer(rebasing: buffer[(count - fresh)..<count]))
            hashed += Int64(fresh)
            if hashed == descriptor.size { try verify() }
        }
        position += Int64(count)
        return count
    }

    /// Whether all of it has been read and is what it should be.
    var isVerified: Bool { hashed == descriptor.size && hasher == nil || descriptor.size == 0 }

    private func verify() throws {
        guard let hasher = hasher.take() else { return }
        let actual = hasher.finish()
        guard actual == descriptor.digest else {
            throw BlobError.wrongDigest(descriptor.digest, actual: actual)
        }
    }
}
