import CTransport
import Platform

/// Why a registry did not give what was asked for.
package enum RegistryError: UserFacing, Hashable {
    /// The registry knows no such name.
    case notFound(image: String)
    /// It does not say whether the image is missing or hidden from us.
    case hidden(image: String, hasCredentials: Bool, said: String)
    case wrongPassword(registry: String, source: String)
    case rateLimited(registry: String, wait: Int?)
    case unreachable(host: String, reason: String)
    case plaintext(host: String)
    case untrusted(host: String, reason: String)
    case trustStore(reason: String)
    case interrupted(host: String, reason: String)
    case downgrade(from: String, to: String)
    case badRedirect(host: String)
    case refused(host: String, status: Int, said: String)
    case badAnswer(host: String, problem: String)
    case credentials(String)
    /// There is no place for credentials.
    case noHome
    /// The program that keeps passwords did not.
    case helper(name: String, problem: String)

    package var message: String {
        switch self {
        case .notFound(let image): "\(Quoted(image)): no such image, or it is private"
        case .hidden(let image, let hasCredentials, let said):
            "\(Quoted(image)): no such image, or it is private"
                + (hasCredentials ? " and these credentials do not open it" : "") + Self.quote(said)
        case .wrongPassword(let registry, let source):
            "\(Quoted(registry)) does not accept the user name and password from \(Quoted(source))"
        case .rateLimited(let registry, let wait):
            "the rate limit of \(Quoted(registry)) is used up"
                + (wait.map { "; it asks to wait \(Self.duration($0))" } ?? "")
        case .unreachable(let host, let reason): "\(Quoted(host)) cannot be reached: \(Quoted(reason))"
        case .plaintext(let host):
            "\(Quoted(host)) speaks plain HTTP, which anybody on the way can read and change"
        case .untrusted(let host, let reason):
            "the certificate of \(Quoted(host)) is not trusted: \(Quoted(reason))"
        case .trustStore(let reason): "the trusted certificates cannot be read: \(Quoted(reason))"
        case .interrupted(let host, let reason):
            "the connection to \(Quoted(host)) broke: \(Quoted(reason))"
        case .downgrade(let from, let to):
            "\(Quoted(from)) redirects to \(Quoted(to)), from an encrypted connection to an open one; refused"
        case .badRedirect(let host): "\(Quoted(host)) redirects in circles or to nowhere"
        case .refused(let host, let status, let said):
            "\(Quoted(host)) answered with HTTP status \(status)" + Self.quote(said)
        case .badAnswer(let host, let problem):
            "\(Quoted(host)) gave an answer that makes no sense: \(Quoted(problem))"
        case .credentials(let problem): problem
        case .noHome: "there is no home directory in which credentials could be kept"
        case .helper(let name, let problem): "\(Quoted("docker-credential-\(name)")) \(problem)"
        }
    }

    package var hint: String? {
        switch self {
        case .notFound: "Check the spelling of name and tag."
        case .hidden(_, false, _):
            "Check the spelling; for a private image set CD_DOCKER_AUTH=user:password, or log in with: chroot-distro registry login"
        case .hidden: "Check the spelling of name and tag, and what this account may read."
        case .wrongPassword: "Correct it there; a registry may want an access token instead of the password."
        case .rateLimited: "An account has a higher limit: set CD_DOCKER_AUTH=user:password, or use a mirror."
        case .unreachable: "Check the network connection, and the proxy if there is one."
        case .plaintext: "If you trust that network, use --allow-insecure."
        case .untrusted:
            "Name its CA file in the configuration, or use --allow-insecure if you trust that network."
        case .trustStore: "Install the package ca-certificates, or point SSL_CERT_FILE to such a file."
        case .interrupted: "Run the command again: it goes on where it ended."
        case .credentials: "Write it as user:password."
        case .noHome: "Set HOME or DOCKER_CONFIG."
        case .helper: "It is named in docker's config.json, as credsStore or in credHelpers."
        case .downgrade, .badRedirect, .refused, .badAnswer: nil
        }
    }

    private static func quote(_ said: String) -> String { said.isEmpty ? "" : " (it says: \(Quoted(said)))" }

    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) seconds"
        case ..<3600: "\((seconds + 59) / 60) minutes"
        case 3600: "1 hour"
        default: "\((seconds + 3599) / 3600) hours"
        }
    }

    /// What a failed transfer means to a person.
    init(_ failure: HTTPFailure, host: String) {
        switch failure.kind {
        case cd_failure_untrusted: self = .untrusted(host: host, reason: failure.reason)
        case cd_failure_trust_store: self = .trustStore(reason: failure.reason)
        case cd_failure_interrupted: self = .interrupted(host: host, reason: failure.reason)
        default: self = .unreachable(host: host, reason: failure.reason)
        }
    }

    /// Whether the registry says that it has no such image, or does not show it to us.
    package var deniesImage: Bool {
        switch self {
        case .notFound, .hidden: true
        default: false
        }
    }

    /// The registry's own words, if there are some, cut short (distribution specification, error codes).
    static func saidBy(_ body: [UInt8]) -> (codes: [String], text: String) {
        struct Answer: Decodable {
            struct Item: Decodable {
                var code: String?
                var message: String?
            }
            var errors: [Item]?
            var details: String?
        }
        guard let answer = try? JSON.decode(Answer.self, from: body, name: "") else { return ([], "") }
        let items = answer.errors ?? []
        let text = items.first.flatMap { $0.message ?? $0.code } ?? answer.details ?? ""
        return (items.compactMap(\.code), text.count > 160 ? text.prefix(160) + "…" : text)
    }
}
