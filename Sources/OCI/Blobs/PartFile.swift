import Libc
import Platform

/// Content on its way into the store.
///
/// The file is its own lock (flock(2)): as long as one process has it, others see that somebody fetches this
/// content. It stays when its owner dies, so that the next one goes on where it ended.
struct PartFile: ~Copyable {
    let file: FileDescriptor
    fileprivate let name: RawString

    private init(_ file: consuming FileDescriptor, _ name: RawString) {
        self.file = file
        self.name = name
    }

    /// Takes the part of `digest`; `nil` while another process has it.
    static func take(_ digest: Digest, in layout: borrowing ImageLayout) throws(SystemError) -> PartFile? {
        let name = RawString("\(digest.fileName).part")
        while true {
            let file = try layout.ingest.openFile(name, O_RDWR | O_CREAT | O_NONBLOCK, mode: 0o600)
            guard try lock(file) else { return nil }
            // The owner before may have renamed or removed it between the two calls.
            let named = try layout.ingest.statusIfPresent(name)
            let inode = try file.status().inode
            if let named, named.kind == .regular, named.inode == inode { return PartFile(file, name) }
        }
    }

    /// A part whose digest will only be known at its end.
    static func makeUnnamed(in layout: borrowing ImageLayout) throws(SystemError) -> PartFile {
        while true {
            let name = RawString("new-\(getpid())-\(UInt64.random(in: 0 ... .max))")
            let file = try layout.ingest.openFile(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            // Whoever sweeps may have come between the two calls.
            if try lock(file), try file.status().links > 0 { return PartFile(file, name) }
        }
    }

    private static func lock(_ file: borrowing FileDescriptor) throws(SystemError) -> Bool {
        let raw = file.rawValue
        do { try syscall("flock") { flock(raw, LOCK_EX | LOCK_NB) } } catch  where error.code == EWOULDBLOCK {
            return false
        }
        return true
    }

    /// Bytes that are in it.
    func size() throws(SystemError) -> Int64 { try file.status().size }

    /// Forgets all that is in it.
    func clear() throws(SystemError) {
        try file.truncate(to: 0)
        try file.seek(to: 0)
    }

    /// The hasher of what is in it; the file then stands at its end.
    func rehash(_ algorithm: Digest.Algorithm) throws -> DigestHasher {
        var hasher = try DigestHasher(algorithm)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        try file.seek(to: 0)
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return hasher }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Gives the content its name in the store; the caller has verified it.
    ///
    /// Nothing is flushed: what is read is verified, by this digest or a layer's DiffID, and fetched anew when a power
    /// cut took it.
    consuming func commit(as digest: Digest, to layout: borrowing ImageLayout) throws(SystemError) {
        try syscall("fchmod", name.description) { fchmod(file.rawValue, 0o644) }
        try layout.ingest.rename(name, to: layout.folder(digest.algorithm, make: true), RawString(digest.hex))
    }
}

/// Writes content whose digest is known only at its end, such as a layer that is being made.
///
/// What is not finished is gone with this value.
package struct BlobWriter: ~Copyable {
    private let part: PartFile
    private let leftover: Leftover
    private var hasher: DigestHasher
    private var count: Int64 = 0

    package init(to layout: borrowing ImageLayout, _ algorithm: Digest.Algorithm = .sha256) throws {
        let hasher = try DigestHasher(algorithm)
        let part = try PartFile.makeUnnamed(in: layout)
        leftover = Leftover(try layout.ingest.duplicate(), part.name)
        self.hasher = hasher
        self.part = part
    }

    /// Removes a part at its end; one that has got its digest's name is no longer there.
    private final class Leftover {
        private let folder: Directory
        private let name: RawString

        init(_ folder: consuming Directory, _ name: RawString) {
            self.folder = folder
            self.name = name
        }

        deinit { try? folder.removeFile(name) }
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try part.file.writeAll(bytes)
        hasher.update(bytes)
        count += Int64(bytes.count)
    }

    /// Puts the content into the store.
    package consuming func finish(mediaType: MediaType, in layout: borrowing ImageLayout) throws -> Descriptor
    {
        let digest = hasher.finish()
        try part.commit(as: digest, to: layout)
        return Descriptor(mediaType: mediaType, digest: digest, size: count)
    }

    /// Puts the content into the store if it is what `descriptor` names.
    package consuming func finish(expecting descriptor: Descriptor, in layout: borrowing ImageLayout) throws {
        let digest = hasher.finish()
        guard count == descriptor.size else {
            throw BlobError.wrongSize(descriptor.digest, expected: descriptor.size, actual: count)
        }
        guard digest == descriptor.digest else {
            throw BlobError.wrongDigest(descriptor.digest, actual: digest)
        }
        try part.commit(as: digest, to: layout)
    }
}
