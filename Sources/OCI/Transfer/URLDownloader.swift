import CTransport
import Libc
import Platform

/// Downloads a file from the web, and goes on with it when an earlier run could not finish.
package struct URLDownloader {
    private let http: HTTPSettings
    private let retry: RetryPolicy
    private let rateLimit: Int?

    package init(http: HTTPSettings, retry: RetryPolicy, transfer: TransferSettings) {
        self.http = http
        self.retry = retry
        rateLimit = transfer.rateLimit
    }

    /// What tells two versions of a file apart (RFC 9110, 8.8).
    private struct Validator: Codable {
        var value: String
    }

    /// Downloads `text` into `folder`, hands the open file to `body`, and removes it afterwards.
    ///
    /// What has come stays only when the download itself fails and can be gone on with. `progress` gets the bytes that are here and the size,
    /// if the server tells it.
    package func withFile<Value>(
        from text: String, in folder: borrowing Directory, progress: (Int64, Int64?) -> Void = { _, _ in },
        _ body: (consuming FileDescriptor) throws -> Value
    ) throws -> Value {
        guard let url = WebURL(text) else { throw URLError.malformed(text) }
        let stem = "url_\(try Digest.of(Array(text.utf8)).hex.prefix(32))"
        let part = RawString("\(stem).part")
        let note = RawString("\(stem).json")
        guard let file = try Self.take(part, in: folder) else { throw URLError.busy(text) }
        do { try download(url, to: file, folder, note, progress) } catch {
            // Without a note of its version, the rest cannot be told from that of another.
            guard (try? folder.status(note)) == nil else { throw error }
            try? folder.removeFile(part)
            throw Self.withoutPromise(error)
        }
        try folder.removeFile(part)
        try? folder.removeFile(note)
        try file.seek(to: 0)
        return try body(file)
    }

    /// Opens and locks a part, which is made where there is none; `nil` while another process has it.
    private static func take(
        _ part: RawString, in folder: borrowing Directory
    ) throws(SystemError) -> FileDescriptor? {
        while true {
            let file = try folder.openFile(part, O_RDWR | O_CREAT | O_NONBLOCK, mode: 0o600)
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { return nil }
            // The owner before may have removed it between the two calls.
            if try folder.statusIfPresent(part)?.inode == file.status().inode { return file }
        }
    }

    /// Removes downloads that nobody is at, each with its note; how many bytes on the disk that frees.
    ///
    /// `onRemove` is told each file before it goes.
    package static func sweep(_ folder: borrowing Directory, onRemove: (RawString) -> Void) throws -> Int64 {
        var bytes: Int64 = 0
        let stems = try folder.entries().compactMap { entry -> Substring? in
            let parts = entry.name.text.split(separator: ".", omittingEmptySubsequences: false)
            let isOurs =
                parts.count == 2 && parts[0].hasPrefix("url_") && ["part", "json"].contains(parts[1])
            return isOurs ? parts[0] : nil
        }
        for stem in Set(stems).sorted() {
            let part = RawString("\(stem).part")
            // The part is the lock of both.
            guard let lock = try take(part, in: folder) else { continue }
            for name in [RawString("\(stem).json"), part] {
                guard let status = try folder.statusIfPresent(name) else { continue }
                onRemove(name)
                try folder.removeFile(name)
                bytes += status.blocks * 512
            }
            _ = consume lock  // It was needed up to here.
        }
        return bytes
    }

    /// The same failure where the next run has to begin anew.
    private static func withoutPromise(_ error: any Error) -> any Error {
        guard case .interrupted(let host, let reason) = error as? RegistryError else { return error }
        return URLError.interrupted(host: host, reason: reason)
    }

    private func download(
        _ url: WebURL, to file: borrowing FileDescriptor, _ folder: borrowing Directory, _ note: RawString,
        _ progress: (Int64, Int64?) -> Void
    ) throws {
        let handle = try HTTPHandle(http)
        var attempts = 0
        while true {
            let before = try file.status().size
            var validator = try? JSON.decode(
                Validator.self, from: folder.readFile(note, limit: 4096), name: "note"
            ).value
            if validator == nil { try file.truncate(to: 0) }
            do {
                let head = try attempt(handle, url, file, validator, progress) { head in
                    validator =
                        head["etag"].flatMap { $0.hasPrefix("W/") ? nil : $0 } ?? head["last-modified"]
                    try? folder.removeFile(note)
                    if let validator {
                        try folder.replaceFile(note, with: JSON.encode(Validator(value: validator)))
                    }
                }
                if head.isSuccess { return }
                if head.status == 416 { try? folder.removeFile(note) }
                attempts += 1
                let wait = RetryPolicy.retryAfter(head)
                let isWorthIt = retry.isWorthAnotherTry(status: head.status) || head.status == 416
                guard isWorthIt, attempts <= retry.retries, wait ?? 0 <= retry.patience else {
                    throw URLError.refused(url.description, status: head.status)
                }
                RetryPolicy.sleep(max(Double(wait ?? 0), retry.pause(before: attempts)))
            } catch is WrongRange {
                // Without its note, what is here counts for nothing.
                try? folder.removeFile(note)
                attempts += 1
                guard attempts <= retry.retries else {
                    throw RegistryError.badAnswer(host: url.origin.authority, problem: "the wrong range")
                }
            } catch let failure as HTTPFailure {
                if try file.status().size > before + 262144 { attempts = 0 }
                attempts += 1
                guard retry.isWorthAnotherTry(failure), attempts <= retry.retries else {
                    throw RegistryError(failure, host: url.origin.authority)
                }
                RetryPolicy.sleep(retry.pause(before: attempts))
            }
        }
    }

    /// One try, through all redirects; `begin` is told of an answer that starts at the first byte.
    private func attempt(
        _ handle: HTTPHandle, _ url: WebURL, _ file: borrowing FileDescriptor, _ validator: String?,
        _ progress: (Int64, Int64?) -> Void, _ begin: (HTTPHead) throws -> Void
    ) throws -> HTTPHead {
        var request = HTTPRequest(url: url)
        let start = try file.seek(to: 0, from: SEEK_END)
        if start > 0, let validator {
            request.headers = [("Range", "bytes=\(start)-"), ("If-Range", validator)]
        }
        for _ in 0..<8 {
            let head = try receive(handle, request, file, start, progress, begin)
            guard head.isRedirect else { return head }
            request = try RegistryClient.redirected(request, head)
        }
        throw RegistryError.badRedirect(host: url.origin.authority)
    }

    private func receive(
        _ handle: HTTPHandle, _ request: HTTPRequest, _ file: borrowing FileDescriptor, _ start: Int64,
        _ progress: (Int64, Int64?) -> Void, _ begin: (HTTPHead) throws -> Void
    ) throws -> HTTPHead {
        let raw = file.rawValue
        var limiter = RateLimiter(rateLimit, now: MonotonicClock.seconds)
        var done = start
        var total: Int64?
        var isBegun = false
        var problem: (any Error)?
        return try withoutActuallyEscaping(progress) { progress in
            try withoutActuallyEscaping(begin) { begin in
                handle.receive = { head, bytes in
                    guard head.isSuccess else { return cd_body_take }
                    do {
                        if !isBegun {
                            isBegun = true
                            total = head.length
                            if head.status == 206 {
                                guard let range = head.range, range.start == start else { throw WrongRange() }
                                total = range.total
                            } else {
                                done = 0
                                try syscall("ftruncate") { ftruncate(raw, 0) }
                                try syscall("lseek") { lseek(raw, 0, SEEK_SET) }
                                try begin(head)
                            }
                        }
                        while !limiter.isOpen(at: MonotonicClock.seconds) { RetryPolicy.sleep(0.01) }
                        limiter.spend(bytes.count)
                        try Self.write(bytes, to: raw)
                    } catch {
                        problem = error
                        return cd_body_stop
                    }
                    done += Int64(bytes.count)
                    progress(done, total)
                    return cd_body_take
                }
                defer { handle.receive = { _, _ in cd_body_take } }
                try handle.prepare(request)
                let kind = cd_transfer_perform(handle.raw)
                if let problem { throw problem }
                guard kind == cd_failure_none else { throw handle.failure(kind) }
                if start > 0, !isBegun, handle.head.isSuccess { throw WrongRange() }
                // A server may send less than the rest, and say so.
                if let total, done < total {
                    throw HTTPFailure(kind: cd_failure_interrupted, reason: "only a part was sent")
                }
                return handle.head
            }
        }
    }

    /// The server sent another range than it was asked for.
    private struct WrongRange: Error {}

    private static func write(_ bytes: UnsafeRawBufferPointer, to raw: Int32) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(try syscall("write") { Libc.write(raw, part.baseAddress, part.count) })
        }
    }
}

/// Why a file could not be downloaded.
package enum URLError: UserFacing, Hashable {
    case malformed(String)
    case busy(String)
    case refused(String, status: Int)
    /// The server gave nothing by which a later run could go on.
    case interrupted(host: String, reason: String)

    package var message: String {
        switch self {
        case .malformed(let text): "\(Quoted(Self.withoutUser(text))) is not an http or https URL"
        case .busy(let text): "another process is downloading \(Quoted(text))"
        case .refused(let text, 404), .refused(let text, 410): "\(Quoted(text)) does not exist"
        case .refused(let text, let status): "\(Quoted(text)): the server answered with HTTP status \(status)"
        case .interrupted(let host, let reason):
            "the connection to \(Quoted(host)) broke: \(Quoted(reason))"
        }
    }

    package var hint: String? {
        switch self {
        case .malformed(let text):
            Self.withoutUser(text) == text ? nil : "User names and passwords in URLs are not supported."
        case .interrupted: "Run the command again; this server lets nobody go on, so it begins anew."
        case .busy, .refused: nil
        }
    }

    /// Leaves out user and password, which are what stands before an `@` in the authority.
    private static func withoutUser(_ text: String) -> String {
        let mark = text.firstIndex(of: ":").map { text[$0...].hasPrefix("://") ? $0 : text.startIndex }
        let start =
            text[(mark ?? text.startIndex)...].firstIndex { $0 != ":" && $0 != "/" } ?? text.startIndex
        let authority = text[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let end = authority.lastIndex(of: "@") else { return text }
        return text[..<start] + "…" + text[end...]
    }
}
