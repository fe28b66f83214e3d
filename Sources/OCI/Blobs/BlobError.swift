import Platform

/// Content that is not what its name says, or is not there.
package enum BlobError: UserFacing, Hashable {
    case wrongDigest(Digest, actual: Digest)
    case wrongSize(Digest, expected: Int64, actual: Int64)
    case missing(Digest)
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
        case .missing(let digest): "the image store does not have \(digest)"
        case .noSpace(let needed, let free):
            "not enough space: \(ByteText(needed)) are to be downloaded and \(ByteText(free)) are free"
        case .notALayout(let reason): "this is not an image store: \(reason)"
        }
    }

    package var hint: String? {
        switch self {
        case .noSpace: "Free some space, for example with: chroot-distro clear-cache"
        default: nil
        }
    }
}

/// A number of bytes for people, such as `1.4 GiB`.
struct ByteText: CustomStringConvertible {
    let description: String

    init(_ count: Int64) {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard count >= 1024 else {
            description = "\(count) bytes"
            return
        }
        var value = Double(count) / 1024
        var unit = 0
        while value >= 1023.95, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int64((value * 10).rounded())
        description = "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
