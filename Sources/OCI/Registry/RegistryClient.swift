import CLinux
import CTransport
import Libc
import Platform

/// One server with images, spoken to as the distribution specification says.
///
/// Used by one thread at a time. The first request finds out how the server is to be spoken to: encrypted or in the
/// open, and with which proof of who we are.
final class RegistryClient {
    let endpoint: RegistryEndpoint
    let retry: RetryPolicy
    private let settings: HTTPSettings
    private var handle: HTTPHandle?
    private let credentials: CredentialSource
    private(set) var base: WebURL?
    private(set) var challenge: Challenge?
    private(set) var found: CredentialSource.Found?
    /// What is to be done with the image, in the words of token servers.
    var actions = "pull"
    /// Other repositories of the registry that are to be read.
    var readable: [String] = []
    private var tokens: [String: Token] = [:]
    /// Why the server cannot be spoken to: nobody waits for it twice.
    private var refusal: (any Error)?
    /// Whether nobody waits for answers any more; no time is then lost with further tries.
    var isStopped: () -> Bool = { false }

    private struct Token {
        let value: Secret
        /// On the monotonic clock, in seconds.
        let end: Int
    }

    init(
        _ endpoint: RegistryEndpoint, settings: HTTPSettings, credentials: CredentialSource,
        retry: RetryPolicy
    ) {
        self.endpoint = endpoint
        self.retry = retry
        self.credentials = credentials
        self.settings = settings
    }

    /// Another client for the same server that knows what this one has learned, for another thread.
    func sibling() -> RegistryClient {
        let other = RegistryClient(endpoint, settings: settings, credentials: credentials, retry: retry)
        other.base = base
        other.challenge = challenge
        other.found = found
        other.tokens = tokens
        other.actions = actions
        other.readable = readable
        return other
    }

    /// Made when it is first wanted: what the store has must not need libcurl.
    func http() throws(MissingLibrary) -> HTTPHandle {
        if let handle { return handle }
        let made = try HTTPHandle(settings)
        made.isStopped = { [unowned self] in isStopped() }
        handle = made
        return made
    }

    var trust: HTTPTrust { HTTPTrust(verifies: !endpoint.isInsecure, caFile: endpoint.caFile) }

    // MARK: - Asking

    /// A manifest or an index by tag or digest.
    func manifest(of image: Reference, _ name: String) throws -> (bytes: [UInt8], mediaType: MediaType) {
        let accepted = MediaType.acceptedManifests.map(\.rawValue).joined(separator: ", ")
        let answer = try ask(
            image, "manifests/\(name)", headers: [("Accept", accepted)], limit: documentLimit)
        guard answer.isWhole else { throw DocumentError.tooLarge(image.description) }
        return (answer.body, MediaType(rawValue: answer.head["content-type"] ?? ""))
    }

    /// The digest that a tag has at this moment, without fetching what it names; `nil` when the server does not say,
    /// or not in this way.
    func digest(of image: Reference) throws -> Digest? {
        let accepted = MediaType.acceptedManifests.map(\.rawValue).joined(separator: ", ")
        do {
            let answer = try ask(
                image, "manifests/\(image.manifestName)", method: "HEAD", headers: [("Accept", accepted)])
            return answer.head["docker-content-digest"].flatMap { try? Digest($0) }
        } catch let error as RegistryError {
            switch error {
            case .refused, .notFound: return nil
            default: throw error
            }
        }
    }

    /// A small blob, such as a config; the caller verifies it.
    func blob(of image: Reference, _ descriptor: Descriptor) throws -> [UInt8] {
        guard descriptor.size <= documentLimit else {
            throw DocumentError.tooLarge(descriptor.digest.description)
        }
        let answer = try ask(image, "blobs/\(descriptor.digest)", limit: Int(descriptor.size))
        guard answer.isWhole else {
            throw BlobError.wrongSize(
                descriptor.digest, expected: descriptor.size, actual: descriptor.size + 1)
        }
        return answer.body
    }

    /// The request for a blob, for whoever carries it out.
    func blobRequest(of image: Reference, _ digest: Digest) throws -> HTTPRequest {
        let url = try url(endpoint.path(of: image.repository), "blobs/\(digest)", image)
        return HTTPRequest(url: url, authorization: try authorization(image), trust: trust)
    }

    /// Asks, with new tries as the policy says; the answer is a success.
    private func ask(
        _ image: Reference, _ path: String, method: String = "GET", headers: [(String, String)] = [],
        limit: Int = 1 << 20
    ) throws -> (head: HTTPHead, body: [UInt8], isWhole: Bool) {
        let url = try url(endpoint.path(of: image.repository), path, image)
        var isRenewed = false
        while true {
            let request = HTTPRequest(
                method: method, url: url, headers: headers, authorization: try authorization(image),
                trust: trust)
            let answer = try patiently(request, limit: limit)
            if answer.head.isSuccess { return answer }
            if answer.head.status == 401, !isRenewed, renew(answer.head) {
                isRenewed = true
                continue
            }
            throw try error(answer.head, answer.body, image)
        }
    }

    /// Exchanges until there is an answer that another try would not better.
    func patiently(
        _ request: HTTPRequest, limit: Int = 1 << 20
    ) throws -> (head: HTTPHead, body: [UInt8], isWhole: Bool) {
        var number = 0
        while true {
            number += 1
            let isLast = number > retry.retries
            do {
                let answer = try follow(request, limit: limit)
                guard retry.isWorthAnotherTry(status: answer.head.status), !isLast else { return answer }
                let wait = RetryPolicy.retryAfter(answer.head)
                if let wait, wait > retry.patience { return answer }
                guard sleep(max(Double(wait ?? 0), retry.pause(before: number))) else { return answer }
            } catch let failure as HTTPFailure {
                guard retry.isWorthAnotherTry(failure), !isLast, sleep(retry.pause(before: number)) else {
                    throw RegistryError(failure, host: request.url.origin.authority)
                }
            }
        }
    }

    /// Waits before another try; false when that has become useless.
    func sleep(_ seconds: Double) -> Bool {
        var rest = seconds
        while rest > 0, !isStopped() {
            RetryPolicy.sleep(min(rest, 0.05))
            rest -= 0.05
        }
        return !isStopped()
    }

    /// Exchanges, and goes where redirects lead.
    private func follow(
        _ first: HTTPRequest, limit: Int
    ) throws -> (head: HTTPHead, body: [UInt8], isWhole: Bool) {
        var request = first
        for _ in 0..<6 {
            let answer = try http().exchange(request, limit: limit)
            guard answer.head.isRedirect else { return answer }
            request = try Self.redirected(request, answer.head, trust: endpoint.trust)
        }
        throw RegistryError.badRedirect(host: first.url.origin.authority)
    }

    /// The request that a redirect asks for: our proof of who we are stays with the server it was meant for.
    static func redirected(
        _ request: HTTPRequest, _ head: HTTPHead, trust: (WebURL.Origin) -> HTTPTrust = { _ in HTTPTrust() }
    ) throws(RegistryError) -> HTTPRequest {
        guard let target = head.redirect else { throw .badRedirect(host: request.url.origin.authority) }
        let trust = trust(target.origin)
        guard target.origin.isSecure || !request.url.origin.isSecure || !trust.verifies else {
            throw .downgrade(from: request.url.origin.authority, to: target.origin.authority)
        }
        var next = request
        next.url = target
        if target.origin != request.url.origin {
            // A body is only sent to prove who we are.
            guard request.body == nil else { throw .badRedirect(host: request.url.origin.authority) }
            next.authorization = nil
            if target.origin.host != request.url.origin.host { next.trust = trust }
        }
        return next
    }

    // MARK: - Meeting

    func url(_ repository: String, _ path: String, _ image: Reference) throws -> WebURL {
        try meet(image)
        guard let url = WebURL("\(base?.description ?? "")/v2/\(repository)/\(path)") else {
            throw RegistryError.badAnswer(host: endpoint.host, problem: "its name makes no URL")
        }
        return url
    }

    /// Has nobody wait for the server again, when it has stopped to answer.
    func giveUp(_ error: any Error) {
        if case .unreachable = error as? RegistryError { refusal = error }
    }

    /// Finds out how the server is to be spoken to, once.
    func meet(_ image: Reference) throws {
        if let refusal { throw refusal }
        guard base == nil else { return }
        do { try greet(image) } catch {
            base = nil
            refusal = error
            throw error
        }
    }

    private func greet(_ image: Reference) throws {
        guard let secure = WebURL("https://\(endpoint.host)"), let open = WebURL("http://\(endpoint.host)")
        else {
            throw RegistryError.badAnswer(host: endpoint.host, problem: "its name makes no URL")
        }
        found = try credentials.find(
            registry: endpoint.registry, repository: endpoint.path(of: image.repository),
            isMirror: endpoint.mirrorOf != nil)
        if endpoint.isInsecure {
            base = try speaksTLS(secure) ? secure : open
        } else {
            base = secure
        }
        let answer: (head: HTTPHead, body: [UInt8], isWhole: Bool)
        do {
            answer = try patiently(ping(base ?? secure))
        } catch {
            guard !endpoint.isInsecure, case .unreachable = error as? RegistryError else { throw error }
            // Is it that the other side does not know TLS? Then anything that it says in the open is proof.
            if (try? http().exchange(ping(open, total: 6))) != nil {
                throw RegistryError.plaintext(host: endpoint.host)
            }
            throw error
        }
        try take(answer.head, answer.body, image)
    }

    func ping(_ base: WebURL, total: Int? = nil) throws(RegistryError) -> HTTPRequest {
        guard let url = WebURL("\(base)/v2/") else {
            throw .badAnswer(host: endpoint.host, problem: "its name makes no URL")
        }
        return HTTPRequest(url: url, trust: trust, total: total)
    }

    /// Whether an insecure server is to be spoken to by TLS all the same; only silence is an error.
    private func speaksTLS(_ secure: WebURL) throws -> Bool {
        do {
            _ = try http().exchange(ping(secure, total: 20))
            return true
        } catch let failure as HTTPFailure {
            if failure.kind == cd_failure_resolve { throw RegistryError(failure, host: endpoint.host) }
            return false
        }
    }

    /// Learns from the answer to `/v2/` how we prove who we are.
    private func take(_ head: HTTPHead, _ body: [UInt8], _ image: Reference) throws {
        guard head.status == 401 else {
            // Some servers have nothing at /v2/ and still have images.
            if head.isSuccess || head.status == 404 { return }
            throw try error(head, body, image)
        }
        learn(head)
    }

    private func learn(_ head: HTTPHead) {
        let offers = Challenge.parse(head["www-authenticate"] ?? "")
        challenge = offers.first { $0.scheme == "bearer" } ?? offers.first { $0.scheme == "basic" }
    }

    // MARK: - Proving who we are

    func authorization(_ image: Reference) throws -> Secret? {
        guard let challenge else { return nil }
        guard challenge.scheme == "bearer" else { return found?.credential.basic }
        let scopes =
            ["repository:\(endpoint.path(of: image.repository)):\(actions)"]
            + readable.map { "repository:\($0):pull" }
        let scope = scopes.joined(separator: " ")
        if let token = tokens[scope], token.end > now() { return token.value }
        let token = try fetchToken(challenge, scopes, image)
        tokens[scope] = token
        return token?.value
    }

    private func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec)
    }

    /// Gets a token from the server that the registry trusts (distribution specification, token authentication).
    private func fetchToken(_ challenge: Challenge, _ scopes: [String], _ image: Reference) throws -> Token? {
        struct Answer: Decodable {
            var token: String?
            var access_token: String?
            var expires_in: Double?
        }
        let host = endpoint.host
        let answer = try patiently(tokenRequest(challenge, scopes, found?.credential))
        if [400, 401, 403].contains(answer.head.status) {
            let said = RegistryError.saidBy(answer.body).text
            if let found, answer.head.status != 403 {
                throw RegistryError.wrongPassword(registry: endpoint.registry, source: found.source)
            }
            throw RegistryError.hidden(image: image.description, hasCredentials: found != nil, said: said)
        }
        guard answer.head.isSuccess else { throw try error(answer.head, answer.body, image) }
        let value = try JSON.decode(Answer.self, from: answer.body, name: "the token of \(host)")
        guard let token = value.token ?? value.access_token, !token.isEmpty else { return nil }
        guard token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw RegistryError.badAnswer(host: host, problem: "a token with strange characters")
        }
        // A little early: the request that uses it takes time, too.
        let life = min(max((value.expires_in ?? 60) - 10, 5), 86400)
        return Token(value: Secret("Bearer " + token), end: now() + Int(life))
    }

    func tokenRequest(
        _ challenge: Challenge, _ scopes: [String], _ credential: Credential?
    ) throws(RegistryError) -> HTTPRequest {
        let realm = challenge.parameters["realm"] ?? ""
        let service = challenge.parameters["service"]
        guard let url = WebURL(realm) else {
            throw .badAnswer(host: endpoint.host, problem: "a token server named \(realm)")
        }
        let trust = endpoint.trust(for: url.origin)
        guard url.origin.isSecure || !trust.verifies else {
            throw .downgrade(from: endpoint.host, to: url.origin.authority)
        }
        var fields = service.map { [("service", $0)] } ?? []
        if case .identity(let token) = credential {
            // OAuth 2 has all of them in one field.
            if !scopes.isEmpty { fields.append(("scope", scopes.joined(separator: " "))) }
            fields += [
                ("grant_type", "refresh_token"), ("client_id", "chroot-distro"),
                ("refresh_token", token.value),
            ]
            return HTTPRequest(
                method: "POST", url: url, headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(Self.form(fields).utf8), trust: trust)
        }
        fields += scopes.map { ("scope", $0) }
        if let user = credential?.user { fields.append(("account", user)) }
        guard let full = WebURL(realm + (realm.contains("?") ? "&" : "?") + Self.form(fields)) else {
            throw .badAnswer(host: endpoint.host, problem: "a token server named \(realm)")
        }
        return HTTPRequest(url: full, authorization: credential?.basic, trust: trust)
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0)=\(WebURL.escape($0.1))" }.joined(separator: "&")
    }

    /// Forgets what was granted, since the server does not accept it any more; whether another try has a point.
    func renew(_ head: HTTPHead) -> Bool {
        tokens = [:]
        // Some servers let everybody see /v2/ and only here say what they want. Another one, to which a redirect led,
        // has no say in where the password goes.
        if challenge == nil, head.status == 401, head.origin == base?.origin { learn(head) }
        return challenge != nil
    }

    // MARK: - Being refused

    /// What a refusal means to a person.
    func error(_ head: HTTPHead, _ body: [UInt8], _ image: Reference) throws -> RegistryError {
        let said = RegistryError.saidBy(body)
        switch head.status {
        case 401:
            // With the scheme Basic only the registry itself can tell a wrong password from a closed door.
            if challenge?.scheme == "basic", let found, var request = try base.map({ try ping($0) }) {
                request.authorization = found.credential.basic
                if try patiently(request).head.status == 401 {
                    return .wrongPassword(registry: endpoint.registry, source: found.source)
                }
            }
            return .hidden(image: image.description, hasCredentials: found != nil, said: said.text)
        case 403: return .hidden(image: image.description, hasCredentials: found != nil, said: said.text)
        case 404: return .notFound(image: image.description)
        case 429: return .rateLimited(registry: endpoint.registry, wait: RetryPolicy.retryAfter(head))
        default: return .refused(host: endpoint.host, status: head.status, said: said.text)
        }
    }
}

extension Credential {
    fileprivate var user: String? {
        guard case .password(let user, _) = self else { return nil }
        return user
    }
}
