import Platform

/// Brings one blob to a registry, in whichever way the registry can take it.
///
/// It is asked for first; then other repositories of the registry may lend it; then it is sent in one piece, or in
/// chunks, of which those that have arrived are not sent again.
final class BlobUpload {
    /// How the blob came to be there.
    enum Outcome: Sendable { case present, mounted, sent }

    private enum Way { case whole, chunks }

    /// Why a way did not work this time.
    private struct Trouble: Error {
        enum Kind {
            /// Trying again may help, after so many seconds.
            case passing(wait: Int)
            /// Another way may.
            case unsuited
        }

        let kind: Kind
        let error: any Error
    }

    private let client: RegistryClient
    private let image: Reference
    private let blob: Descriptor
    /// Repositories of the same registry that have it.
    private let donors: [String]
    private let tell: (Int64) -> Void
    private var session: UploadSession?
    private var isRenewed = false

    /// Bytes of a chunk, unless the registry wants more.
    static let chunk: Int64 = 32 << 20

    /// `tell` gets the number of bytes that have been sent.
    init(
        _ blob: Descriptor, of image: Reference, to client: RegistryClient, donors: [String],
        tell: @escaping (Int64) -> Void
    ) {
        self.blob = blob
        self.image = image
        self.client = client
        self.donors = donors
        self.tell = tell
    }

    func run(from store: borrowing ImageLayout) throws -> Outcome {
        if try isThere() { return .present }
        for donor in donors where session == nil {
            if try mount(from: donor), try isThere() { return .mounted }
        }
        let source = try UploadSource(blob, in: store)
        source.tell = tell
        do { try send(source) } catch {
            if let session { client.cancel(session, of: image) }
            throw error
        }
        guard try isThereByNow() else {
            throw PushError.lost(host: client.endpoint.host, digest: blob.digest)
        }
        return .sent
    }

    // MARK: - Asking

    private func isThere() throws -> Bool {
        let answer = try client.answer("HEAD", client.url(of: image, "blobs/\(blob.digest)"), of: image)
        switch answer.head.status {
        case 200:
            // A registry that has something else under this name is given the right thing.
            let isOther = answer.head["docker-content-digest"].map { $0 != blob.digest.description } ?? false
            return !isOther && (answer.head.length ?? blob.size) == blob.size
        case 429:
            throw PushError.rateLimited(
                registry: client.endpoint.registry, wait: RetryPolicy.retryAfter(answer.head))
        case 500...599: throw refusal(answer.head, answer.body, "a question")
        // Whether we may write there is told by the answer to writing.
        default: return false
        }
    }

    /// What was just written may take a moment to be seen everywhere.
    private func isThereByNow() throws -> Bool {
        for number in 0..<4 {
            if try isThere() { return true }
            guard number < 3, client.sleep(0.2 * Double(1 << number)) else { break }
        }
        return false
    }

    /// Has the registry take the blob from another repository; an upload may begin instead.
    private func mount(from donor: String) throws -> Bool {
        let query = "mount=\(WebURL.escape(blob.digest.description))&from=\(WebURL.escape(donor))"
        let url = try client.url(of: image, "blobs/uploads/?\(query)")
        let answer = try client.answer("POST", url, of: image, body: [])
        if answer.head.status == 201 { return true }
        if answer.head.status == 202 {
            session = try? UploadSession(answer.head, from: url, allowsOpen: client.endpoint.allowsOpen)
        }
        return false
    }

    private func begin() throws -> UploadSession {
        let url = try client.url(of: image, "blobs/uploads/")
        let answer = try client.answer("POST", url, of: image, body: [])
        guard answer.head.status == 202 else {
            if answer.head.status == 405 {
                throw PushError.readOnly(
                    host: client.endpoint.host, said: RegistryError.saidBy(answer.body).text)
            }
            throw refusal(answer.head, answer.body, "an upload")
        }
        return try UploadSession(answer.head, from: url, allowsOpen: client.endpoint.allowsOpen)
    }

    // MARK: - Sending

    private func send(_ source: UploadSource) throws {
        var way = Way.whole
        var unsuited: Set<Way> = []
        var failures = 0
        var furthest: Int64 = 0
        while true {
            guard let trouble = try attempt(source, way) else { return }
            if client.isStopped() { throw trouble.error }
            // The answer may be all that was lost.
            if try isThere() { return }
            switch trouble.kind {
            case .unsuited:
                unsuited.insert(way)
                way = way == .whole ? .chunks : .whole
                guard !unsuited.contains(way) else { throw trouble.error }
                giveUpSession()
            case .passing(let wait):
                failures += 1
                guard failures <= client.retry.retries, wait <= client.retry.patience else {
                    throw trouble.error
                }
                guard client.sleep(max(Double(wait), client.retry.pause(before: failures))) else {
                    throw trouble.error
                }
                askWhere()
                let offset = session?.offset ?? 0
                if offset > furthest { failures = 0 }
                furthest = max(furthest, offset)
                way =
                    offset > 0 && !unsuited.contains(.chunks)
                    ? .chunks : unsuited.contains(.whole) ? .chunks : .whole
                if way == .whole { giveUpSession() }
            }
        }
    }

    private func giveUpSession() {
        if let session { client.cancel(session, of: image) }
        session = nil
    }

    /// Asks how far the upload is; one that the registry does not know is begun anew.
    private func askWhere() {
        guard var known = session else { return }
        session = nil
        guard let answer = try? client.answer("GET", known.location, of: image), answer.head.isSuccess else {
            return
        }
        do {
            try known.advance(
                answer.head, from: known.location, allowsOpen: client.endpoint.allowsOpen, expecting: nil)
        } catch { return }
        // More than there is cannot have come from us.
        if known.offset <= blob.size { session = known }
    }

    /// One try; what went wrong, if it is worth another.
    private func attempt(_ source: UploadSource, _ way: Way) throws -> Trouble? {
        do {
            if session == nil { session = try begin() }
            if way == .whole { try sendWhole(source) } else { try sendChunks(source) }
            session = nil
            return nil
        } catch let trouble as Trouble {
            return trouble
        } catch let failure as HTTPFailure {
            let host = session?.location.origin.authority ?? client.endpoint.host
            let error = RegistryError(failure, host: host)
            guard client.retry.isWorthAnotherTry(failure) else { throw error }
            return Trouble(kind: .passing(wait: 0), error: error)
        }
    }

    private func sendWhole(_ source: UploadSource) throws {
        guard let session, let url = session.closing(blob.digest) else { throw badLocation() }
        let answer = try client.send(0..<blob.size, of: source, "PUT", to: url, of: image, headers: [])
        try finish(answer)
    }

    private func sendChunks(_ source: UploadSource) throws {
        while let current = session, current.offset < blob.size {
            let end = min(blob.size, current.offset + max(Self.chunk, current.smallestChunk))
            let answer = try client.send(
                current.offset..<end, of: source, "PATCH", to: current.location, of: image,
                headers: [("Content-Range", "\(current.offset)-\(end - 1)")])
            guard answer.head.isSuccess else { throw judge(answer.head, answer.body) }
            var next = current
            try next.advance(
                answer.head, from: current.location, allowsOpen: client.endpoint.allowsOpen, expecting: end)
            guard next.offset <= end else {
                throw PushError.badAnswer(
                    host: client.endpoint.host, problem: "it has \(next.offset) bytes of \(end)")
            }
            session = next
            guard next.offset > current.offset else {
                let problem = "it keeps nothing of what it is sent"
                throw Trouble(
                    kind: .unsuited, error: PushError.badAnswer(host: client.endpoint.host, problem: problem))
            }
        }
        // What an earlier try sent has to be right, too.
        try source.seek(to: blob.size..<blob.size)
        guard source.isVerified, let url = session?.closing(blob.digest) else { throw badLocation() }
        try finish(client.answer("PUT", url, of: image, body: []))
    }

    private func badLocation() -> PushError {
        .badAnswer(host: client.endpoint.host, problem: "where to send a blob")
    }

    /// Looks at the answer to the end of an upload.
    private func finish(_ answer: (head: HTTPHead, body: [UInt8])) throws {
        guard [200, 201, 204].contains(answer.head.status) else { throw judge(answer.head, answer.body) }
        if let kept = answer.head["docker-content-digest"], kept != blob.digest.description {
            throw PushError.wrongDigest(host: client.endpoint.host, sent: blob.digest, kept: kept)
        }
    }

    // MARK: - Being refused

    /// What a refusal of bytes means for the next step.
    private func judge(_ head: HTTPHead, _ body: [UInt8]) -> any Error {
        let error = refusal(head, body, "a blob")
        let isOurs = head.origin == client.base?.origin
        switch head.status {
        case 401 where !isRenewed && isOurs && client.renew(head):
            isRenewed = true
            return Trouble(kind: .passing(wait: 0), error: error)
        // The link to a store elsewhere has run out.
        case 401 where !isOurs, 403 where !isOurs: return Trouble(kind: .passing(wait: 0), error: error)
        case 429: return Trouble(kind: .passing(wait: RetryPolicy.retryAfter(head) ?? 0), error: error)
        case 400, 404, 405, 411, 413, 415, 416, 501: return Trouble(kind: .unsuited, error: error)
        case 408, 500...599: return Trouble(kind: .passing(wait: 0), error: error)
        default: return error
        }
    }

    private func refusal(_ head: HTTPHead, _ body: [UInt8], _ what: String) -> any Error {
        if head.status == 413 {
            return PushError.tooLarge(
                host: head.origin?.authority ?? client.endpoint.host, digest: blob.digest, size: blob.size,
                said: RegistryError.saidBy(body).text)
        }
        return client.pushRefusal(head, body, what, image)
    }
}

extension RegistryClient {
    /// What a refusal means to a person who pushes.
    func pushRefusal(_ head: HTTPHead, _ body: [UInt8], _ what: String, _ image: Reference) -> any Error {
        let said = RegistryError.saidBy(body).text
        let isOurs = head.origin == nil || head.origin == base?.origin
        switch head.status {
        case 401 where isOurs, 403 where isOurs:
            return PushError.denied(
                image: image.description, registry: endpoint.registry, source: found?.source, said: said)
        case 429:
            return PushError.rateLimited(registry: endpoint.registry, wait: RetryPolicy.retryAfter(head))
        default:
            return PushError.refused(
                host: head.origin?.authority ?? endpoint.host, status: head.status, what: what, said: said)
        }
    }
}
