import CTransport

/// What is asked of a server.
struct HTTPRequest {
    var method = "GET"
    var url: WebURL
    /// Name and value.
    var headers: [(String, String)] = []
    /// The value of `Authorization`.
    var authorization: Secret?
    var body: [UInt8]?
    /// A body that is read while it is sent, instead of `body`.
    var upload: HTTPUpload?
    var trust = HTTPTrust()
    /// Seconds for the whole answer; `nil` is any.
    var total: Int?
    /// Seconds that may pass without a byte, where that is longer than usual.
    var silence: Int?
}

/// A body of known size, from wherever it comes.
struct HTTPUpload {
    let size: Int64
    /// Fills some of the buffer; `nil` gives the whole request up.
    let read: (UnsafeMutableRawBufferPointer) -> Int?
}

/// Which certificates are good enough.
struct HTTPTrust: Hashable, Sendable {
    var verifies = true
    var caFile: String?
}

/// The first part of an answer.
struct HTTPHead {
    var status = 0
    /// Who was asked.
    var origin: WebURL.Origin?
    /// By lower-case name; several of one name are joined by commas, as RFC 9110 has it.
    var headers: [String: String] = [:]
    /// Where a redirect leads.
    var redirect: WebURL?

    subscript(name: String) -> String? { headers[name] }

    /// Bytes of the body; `nil` also for what no file has.
    var length: Int64? {
        headers["content-length"].flatMap { Int64($0) }.flatMap { (0...1 << 60).contains($0) ? $0 : nil }
    }
    /// The part of the whole that a 206 brings (RFC 9110, Content-Range); `nil` when it is not well formed.
    ///
    /// A whole of unknown size is as large as the range goes.
    var range: (start: Int64, total: Int64)? {
        guard let text = headers["content-range"], text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
        guard parts.count == 2, ends.count == 2, 0 <= ends[0], ends[0] <= ends[1], ends[1] < 1 << 60 else {
            return nil
        }
        guard let total = parts[1] == "*" ? ends[1] + 1 : Int64(parts[1]), total > ends[1], total <= 1 << 60
        else { return nil }
        return (ends[0], total)
    }
    var isSuccess: Bool { (200..<300).contains(status) }
    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
}

/// No whole answer came.
struct HTTPFailure: Error {
    let kind: cd_failure
    /// libcurl's words.
    let reason: String
}

/// One libcurl transfer; its connections stay open for the next request.
final class HTTPHandle {
    private(set) var raw: OpaquePointer?
    private let settings: HTTPSettings
    private var currentHead = HTTPHead()
    /// Takes the body piece by piece; the head is complete by then.
    var receive: (HTTPHead, UnsafeRawBufferPointer) -> cd_body_answer = { _, _ in cd_body_take }

    /// Whether nobody wants the answer any more; asked while it is waited for.
    var isStopped: () -> Bool = { false }

    /// What is being sent.
    private var upload: HTTPUpload?

    init(_ settings: HTTPSettings) throws(MissingLibrary) {
        self.settings = settings
        let context = Unmanaged.passUnretained(self).toOpaque()
        raw = cd_transfer_new(context, receiveHead, receiveBody, askWhetherToStop)
        if raw == nil { throw .curl }
    }

    deinit { if let raw { cd_transfer_free(raw) } }

    /// The head of the last answer, with where it redirects to.
    var head: HTTPHead {
        var head = currentHead
        head.status = Int(cd_transfer_status(raw))
        if head.isRedirect, let url = cd_transfer_redirect(raw) {
            head.redirect = WebURL(String(cString: url))
        }
        return head
    }

    /// Throws for a header that would end before its value does.
    func prepare(_ request: HTTPRequest) throws(HTTPFailure) {
        var headers = request.headers
        if let authorization = request.authorization {
            headers.append(("Authorization", authorization.value))
        }
        for (name, value) in headers where (name + value).utf8.contains(where: { [0, 10, 13].contains($0) }) {
            throw HTTPFailure(kind: cd_failure_other, reason: "the header \(name) would have several lines")
        }
        currentHead = HTTPHead()
        currentHead.origin = request.url.origin
        cd_transfer_request(raw, request.method, request.url.description, settings.userAgent)
        for (name, value) in headers { cd_transfer_add_header(raw, "\(name): \(value)") }
        if let body = request.body { cd_transfer_set_body(raw, body, body.count) }
        upload = request.upload
        if let upload { cd_transfer_set_source(raw, giveBody, upload.size) }
        cd_transfer_set_patience(
            raw, settings.connectTimeout, max(settings.silence, request.silence ?? 0),
            request.total.map { $0 * 1000 } ?? 0)
        cd_transfer_set_trust(
            raw, request.trust.caFile ?? settings.caFile, settings.caDirectory, request.trust.verifies)
        let proxy = settings.proxy(for: request.url.origin)
        cd_transfer_set_proxy(raw, proxy, settings.proxyExceptions)
    }

    /// Asks and waits for the answer, of which at most `limit` bytes are taken.
    func exchange(
        _ request: HTTPRequest, limit: Int = 1 << 20
    ) throws(HTTPFailure) -> (head: HTTPHead, body: [UInt8], isWhole: Bool) {
        var body: [UInt8] = []
        var isWhole = true
        receive = { _, bytes in
            isWhole = body.count + bytes.count <= limit
            if isWhole { body.append(contentsOf: bytes) }
            return isWhole ? cd_body_take : cd_body_stop
        }
        defer { receive = { _, _ in cd_body_take } }
        try prepare(request)
        let failure = cd_transfer_perform(raw)
        guard failure == cd_failure_none || !isWhole else { throw self.failure(failure) }
        return (head, body, isWhole)
    }

    func failure(_ kind: cd_failure) -> HTTPFailure {
        HTTPFailure(kind: kind, reason: String(cString: cd_transfer_reason(raw)))
    }

    fileprivate func takeHeadLine(_ bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes, as: UTF8.self)
        // Each answer begins anew, also after an interim one.
        if line.hasPrefix("HTTP/") { return currentHead.headers = [:] }
        guard let colon = line.firstIndex(of: ":"), currentHead.headers.count < 200 else { return }
        let name = line[..<colon].lowercased()
        let value = String(line[line.index(after: colon)...].trimmingBlanks)
        currentHead.headers[name] = currentHead.headers[name].map { "\($0), \(value)" } ?? value
    }

    fileprivate func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        // SIZE_MAX in C.
        upload?.read(buffer) ?? -1
    }

    fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> cd_body_answer {
        currentHead.status = Int(cd_transfer_status(raw))
        return receive(currentHead, bytes)
    }
}

private func receiveHead(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafeRawPointer?, _ count: Int) {
    guard let context else { return }
    Unmanaged<HTTPHandle>.fromOpaque(context).takeUnretainedValue()
        .takeHeadLine(UnsafeRawBufferPointer(start: bytes, count: count))
}

private func receiveBody(
    _ context: UnsafeMutableRawPointer?, _ bytes: UnsafeRawPointer?, _ count: Int
) -> cd_body_answer {
    guard let context else { return cd_body_stop }
    return Unmanaged<HTTPHandle>.fromOpaque(context).takeUnretainedValue()
        .takeBody(UnsafeRawBufferPointer(start: bytes, count: count))
}

private func giveBody(_ context: UnsafeMutableRawPointer?, _ buffer: UnsafeMutableRawPointer?, _ size: Int)
    -> Int
{
    guard let context else { return -1 }
    return Unmanaged<HTTPHandle>.fromOpaque(context).takeUnretainedValue()
        .give(UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func askWhetherToStop(_ context: UnsafeMutableRawPointer?) -> Bool {
    guard let context else { return false }
    return Unmanaged<HTTPHandle>.fromOpaque(context).takeUnretainedValue().isStopped()
}

extension StringProtocol {
    /// Without blanks and line ends at both sides.
    var trimmingBlanks: SubSequence {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        let start = firstIndex { !isBlank($0) } ?? endIndex
        let end = lastIndex { !isBlank($0) }.map { index(after: $0) } ?? start
        return self[start..<end]
    }
}
