import Platform

/// Content that is not what its name says, or is not there.
package enum BlobError: UserFacing, Hashable {
    case wrongDigest(Digest, actual: Digest)
    case wrongSize(Digest, expected: Int64, actual: Int64)
    case missing(Digest)
    /// The server or the line gave up in the middle.
    case incomplete(Digest, host: String, reason: String)
    case noSpace(needed: Int64, free: Int64)
    case notALayout(String)

    package var message: String {
        switch self {
        case .wrongDigest(let digest, let actual):
            "the content of \(digest) is damaged or forged: its digest is \(actual)"
        case .wrongSize(let digest, let expected, let actual):
            actual < expected
                ? "the content of \(digest) is cut short: \(actual) of \(expected) bytes"
                : "the content of \(digest) is too long: \(actual) instead of \(expected) bytes"
        case .incomplete(let digest, let host, let reason):
            "\(digest) came only in part from \(Quoted(host)): \(Quoted(reason))"
        case .missing(let digest): "the image store does not have \(digest)"
        case .noSpace(let needed, let free):
            "not enough space: \(ByteCount(needed)) are to be downloaded and \(ByteCount(free)) are free"
        case .notALayout(let reason): "this is not an image store: \(reason)"
        }
    }

    package var hint: String? {
        switch self {
        case .noSpace: "Free some space, or keep the image store elsewhere with XDG_CACHE_HOME."
        case .incomplete: "Run the command again: it goes on where it ended."
        default: nil
        }
    }
}
