import Platform

/// Why an image could not be pushed.
package enum PushError: UserFacing, Hashable {
    /// The registry does not let us write there.
    case denied(image: String, registry: String, source: String?, said: String)
    case tooLarge(host: String, digest: Digest, size: Int64, said: String)
    case rateLimited(registry: String, wait: Int?)
    case readOnly(host: String, said: String)
    case refused(host: String, status: Int, what: String, said: String)
    /// What has been uploaded is not there afterwards.
    case lost(host: String, digest: Digest)
    /// The registry says that it has other content than it was given.
    case wrongDigest(host: String, sent: Digest, kept: String)
    case badAnswer(host: String, problem: String)

    package var message: String {
        switch self {
        case .denied(let image, let registry, nil, let said):
            "\(Quoted(registry)) lets nobody push \(Quoted(image)) without logging in\(Self.quote(said))"
        case .denied(let image, let registry, let source?, let said):
            "\(Quoted(registry)) does not let the account from \(Quoted(source)) push \(Quoted(image))\(Self.quote(said))"
        case .tooLarge(let host, let digest, let size, let said):
            "\(Quoted(host)) does not take a blob of \(ByteCount(size)): \(digest.short)\(Self.quote(said))"
        case .rateLimited(let registry, let wait):
            "\(Quoted(registry)) takes no more for now"
                + (wait.map { "; it asks to wait \(RegistryError.duration($0))" } ?? "")
        case .readOnly(let host, let said):
            "\(Quoted(host)) takes no images: it is read-only\(Self.quote(said))"
        case .refused(let host, let status, let what, let said):
            "\(Quoted(host)) did not take \(what): HTTP status \(status)\(Self.quote(said))"
        case .lost(let host, let digest):
            "\(Quoted(host)) does not have \(digest.short), which it has just been given"
        case .wrongDigest(let host, let sent, let kept):
            "\(Quoted(host)) was given \(sent), but says that it has \(Quoted(kept))"
        case .badAnswer(let host, let problem):
            "\(Quoted(host)) gave an answer that makes no sense: \(Quoted(problem))"
        }
    }

    package var hint: String? {
        switch self {
        case .denied(_, let registry, nil, _):
            "Log in with: chroot-distro registry login \(Quoted(registry)), or set CD_DOCKER_AUTH=user:password."
        case .denied: "Check what this account may write; a token may be for reading only."
        case .tooLarge: "Its operator, or the proxy in front of it, sets the limit."
        case .rateLimited: "Run the command again later: what has been uploaded is not sent again."
        case .lost, .refused: "Run the command again: what has been uploaded is not sent again."
        case .readOnly, .wrongDigest, .badAnswer: nil
        }
    }

    private static func quote(_ said: String) -> String { said.isEmpty ? "" : " (it says: \(Quoted(said)))" }
}
