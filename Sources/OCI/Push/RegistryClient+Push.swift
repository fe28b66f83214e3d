/// What pushing asks of a registry.
extension RegistryClient {
    /// A URL below the image's repository.
    func url(of image: Reference, _ path: String) throws -> WebURL {
        try url(endpoint.path(of: image.repository), path, image)
    }

    /// Our proof of who we are, but only for the registry itself.
    private func authorization(for url: WebURL, _ image: Reference) throws -> Secret? {
        url.origin == base?.origin ? try authorization(image) : nil
    }

    /// Asks, and takes any answer for one; tries again what is worth it, and once with a new token.
    func answer(
        _ method: String, _ url: WebURL, of image: Reference, headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) throws -> (head: HTTPHead, body: [UInt8]) {
        var isRenewed = false
        while true {
            let request = HTTPRequest(
                method: method, url: url, headers: headers, authorization: try authorization(for: url, image),
                body: body, trust: endpoint.trust(for: url.origin))
            let answer = try patiently(request)
            if answer.head.status == 401, !isRenewed, url.origin == base?.origin, renew(answer.head) {
                isRenewed = true
                continue
            }
            return (answer.head, answer.body)
        }
    }

    /// Sends a part of a blob, once, and wherever redirects lead; any answer is one.
    func send(
        _ range: Range<Int64>, of source: UploadSource, _ method: String, to url: WebURL, of image: Reference,
        headers: [(String, String)]
    ) throws -> (head: HTTPHead, body: [UInt8]) {
        var request = HTTPRequest(
            method: method, url: url, headers: headers + [("Content-Type", "application/octet-stream")],
            authorization: try authorization(for: url, image), trust: endpoint.trust(for: url.origin))
        // At the end the registry reads what it got once more, and says nothing meanwhile.
        request.silence = 60 + range.count >> 23
        for _ in 0..<4 {
            try source.seek(to: range)
            request.upload = HTTPUpload(size: Int64(range.count)) { source.read(into: $0) }
            let answer = try exchange(request, source)
            guard answer.head.isRedirect else { return answer }
            guard [307, 308].contains(answer.head.status) else { break }
            request = try Self.redirected(request, answer.head, trust: endpoint.trust)
        }
        throw RegistryError.badRedirect(host: request.url.origin.authority)
    }

    private func exchange(
        _ request: HTTPRequest, _ source: UploadSource
    ) throws -> (head: HTTPHead, body: [UInt8]) {
        do {
            let answer = try http().exchange(request)
            return (answer.head, answer.body)
        } catch {
            if let problem = source.problem { throw problem }
            // Who refuses need not listen to the end.
            let head = try http().head
            guard head.status >= 400 else { throw error }
            return (head, [])
        }
    }

    /// Tells the registry that nobody goes on with an upload; whether it listens does not matter.
    func cancel(_ session: UploadSession, of image: Reference) {
        guard session.location.origin == base?.origin else { return }
        let request = HTTPRequest(
            method: "DELETE", url: session.location, authorization: try? authorization(image), trust: trust,
            total: 5)
        _ = try? http().exchange(request)
    }
}
