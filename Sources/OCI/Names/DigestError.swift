import Platform

/// A text that is no digest.
package enum DigestError: UserFacing, Hashable {
    case malformed(String)
    case unknownAlgorithm(String)

    package var message: String {
        switch self {
        case .malformed(let text): "not a digest: \(Quoted(text))"
        case .unknownAlgorithm(let text): "a digest of an unknown kind: \(Quoted(text))"
        }
    }

    package var hint: String? {
        "A digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128."
    }
}
