import CTransport
import Libc
import Platform

/// One blob on its way from a server into the store.
final class BlobJob {
    enum State { case idle, active, ended }

    let descriptor: Descriptor
    var state = State.idle
    /// On the monotonic clock: not to be started before.
    var notBefore = 0.0
    var attempts = 0
    var hops = 0
    var isRenewed = false
    /// Which of the servers is asked.
    var source = 0
    var request: HTTPRequest?
    var handle: HTTPHandle?
    var isPaused = false
    /// Why the body was not taken.
    var problem: (any Error)?
    var errorBody: [UInt8] = []
    /// Bytes that have come, and that were there when this attempt began.
    private(set) var offset: Int64 = 0
    private(set) var start: Int64 = 0
    /// Whether some of the part is older than this process.
    private(set) var isOld = false
    private var part: PartFile?
    /// Bytes that have come and are not in the part yet: libcurl hands them over in small pieces.
    private var pending: [UInt8] = []
    private static let pendingLimit = 256 << 10
    private var hasher: DigestHasher?
    private var isChecked = false
    /// Whether the server sent another range than it was asked for.
    private(set) var hasWrongRange = false

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    var isComplete: Bool { offset == descriptor.size }

    /// Takes the part and reads what is in it; false while another process has it.
    func open(in store: borrowing ImageLayout) throws -> Bool {
        guard part == nil else { return true }
        guard let taken = try PartFile.take(descriptor.digest, in: store) else { return false }
        let size = try taken.size()
        if size > descriptor.size { try taken.clear() }
        offset = size > descriptor.size ? 0 : size
        isOld = offset > 0
        hasher = try taken.rehash(descriptor.digest.algorithm)
        part = consume taken
        return true
    }

    /// Begins an attempt at what is still missing.
    func beginAttempt() {
        start = offset
        isChecked = false
        hasWrongRange = false
        problem = nil
        errorBody = []
    }

    var rangeHeader: [(String, String)] { offset > 0 ? [("Range", "bytes=\(offset)-")] : [] }

    /// Whether the attempt brought enough to say that the connection works.
    var hasProgressed: Bool { offset - start >= 256 << 10 }

    /// Forgets all bytes.
    func restart() throws {
        try part?.file.truncate(to: 0)
        try part?.file.seek(to: 0)
        hasher = try DigestHasher(descriptor.digest.algorithm)
        pending.removeAll()
        offset = 0
        isOld = false
    }

    /// Takes a piece of the body.
    func take(_ head: HTTPHead, _ bytes: UnsafeRawBufferPointer) throws {
        guard head.status == 200 || head.status == 206 else {
            if errorBody.count + bytes.count <= 65536 { errorBody.append(contentsOf: bytes) }
            return
        }
        if !isChecked {
            isChecked = true
            try checkRange(head)
        }
        guard offset + Int64(bytes.count) <= descriptor.size else {
            throw BlobError.wrongSize(
                descriptor.digest, expected: descriptor.size, actual: offset + Int64(bytes.count))
        }
        if pending.count + bytes.count > Self.pendingLimit { try flush() }
        pending.append(contentsOf: bytes)
        offset += Int64(bytes.count)
    }

    private func flush() throws {
        try pending.withUnsafeBytes { bytes in
            try part?.file.writeAll(bytes)
            hasher?.update(bytes)
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// A server may send another range than was asked for, or everything.
    private func checkRange(_ head: HTTPHead) throws {
        guard head.status == 206 else { return offset > 0 ? try restart() : () }
        guard head.range?.start == offset else {
            hasWrongRange = true
            let range = head["content-range"] ?? ""
            throw RegistryError.badAnswer(host: request?.url.origin.host ?? "", problem: "the range \(range)")
        }
    }

    /// Verifies the whole and puts it into the store; else forgets it and throws.
    func finish(in store: borrowing ImageLayout) throws {
        try flush()
        guard let hasher = hasher.take(), let part = part.take() else { return }
        let actual = hasher.finish()
        guard actual == descriptor.digest else {
            self.part = consume part
            try restart()
            throw BlobError.wrongDigest(descriptor.digest, actual: actual)
        }
        try part.commit(as: descriptor.digest, to: store)
    }

    /// Lets others have the part.
    func letGo() {
        // What could not be written is fetched again.
        try? flush()
        pending = []
        part = nil
        hasher = nil
    }
}
