import Platform

/// A layer whose bytes are not what they should be.
package enum LayerError: Error, Sendable {
    /// Compressed or uncompressed bytes that are not the ones that were promised.
    case wrongDigest(expected: Digest, found: Digest)
    case wrongSize(expected: Int64, found: Int64)
}

extension LayerError: UserFacing {
    package var message: String {
        switch self {
        case .wrongDigest(let expected, let found):
            "the layer is damaged: its content is \(found.algorithm):\(found.short)…, not \(expected)"
        case .wrongSize(let expected, let found):
            "the layer is damaged: it has \(found) bytes instead of \(expected)"
        }
    }

    package var hint: String? {
        "Fetch the image again; if that does not help, its registry or archive is damaged."
    }
}
