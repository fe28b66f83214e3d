import Platform

/// A text that is no image reference.
package struct ReferenceError: UserFacing, Hashable {
    /// What is wrong with it.
    package enum Problem: Sendable {
        case empty, tooLong, strangeCharacter, digest, tag, host, path, upperCase, imageID
    }

    package let text: String
    package let problem: Problem

    package var message: String {
        let reason =
            switch problem {
            case .empty: "it is empty"
            case .tooLong: "it is too long"
            case .strangeCharacter: "it has characters that no reference may have"
            case .digest: "what follows @ is not a digest"
            case .tag: "what follows : is not a tag"
            case .host: "what comes before the first / is not a host"
            case .path: "its path is not well formed"
            case .upperCase: "the path of an image has no upper-case letters"
            case .imageID: "it is the ID of an image, not its name"
            }
        return "\(Quoted(text)) is not an image reference: \(reason)"
    }

    package var hint: String? {
        "Write it as [HOST[:PORT]/]PATH[:TAG][@sha256:DIGEST], for example debian:bookworm or ghcr.io/org/app:1.0."
    }
}
