import Archive
import Libc
import Platform

/// A layer or an archive that cannot be unpacked.
package enum LayerError: Error, Sendable {
    /// The kernel refused something for this member.
    case refused(member: RawString, SystemError)
    /// A hard link to something that neither this layer nor one below has.
    case missingLinkTarget(member: RawString, target: RawString)
    /// The member would change what is mounted inside the root.
    case mountPoint(member: RawString)
    /// The archive says that its root directory is something else.
    case rootIsNoDirectory
    /// Compressed or uncompressed bytes that are not the ones that were promised.
    case wrongDigest(expected: Digest, found: Digest)
    case wrongSize(expected: Int64, found: Int64)
    /// No thread could be started.
    case noThread(SystemError)
}

extension LayerError: UserFacing {
    package var message: String {
        switch self {
        case .refused(let member, let error): "\(member): \(error.reason) (\(error.call))"
        case .missingLinkTarget(let member, let target):
            "\(member) is a hard link to \(target), which does not exist"
        case .mountPoint(let member): "\(member): something is mounted there"
        case .rootIsNoDirectory: "the archive replaces its own root directory by something else"
        case .wrongDigest(let expected, let found):
            "the layer is damaged: its content is \(found.algorithm):\(found.short)…, not \(expected)"
        case .wrongSize(let expected, let found):
            "the layer is damaged: it has \(found) bytes instead of \(expected)"
        case .noThread(let error): error.message
        }
    }

    package var hint: String? {
        switch self {
        case .refused(_, let error): error.hint
        case .mountPoint: "Unmount it first."
        case .wrongDigest, .wrongSize:
            "Fetch the image again; if that does not help, its registry or archive is damaged."
        case .missingLinkTarget, .rootIsNoDirectory, .noThread: nil
        }
    }
}
