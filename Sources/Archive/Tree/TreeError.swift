import Libc
import Platform

/// An entry that cannot be written into a tree, or a tree that cannot be read.
package enum TreeError: Error, Sendable {
    /// The kernel refused something for this entry.
    case refused(member: RawString, SystemError)
    /// A hard link to something that is not there.
    case missingLinkTarget(member: RawString, target: RawString)
    /// The entry would change what is mounted inside the tree.
    case mountPoint(member: RawString)
    /// The root of the tree is described as something else.
    case rootIsNoDirectory
}

extension TreeError: UserFacing {
    package var message: String {
        switch self {
        case .refused(let member, let error): "\(member): \(error.reason) (\(error.call))"
        case .missingLinkTarget(let member, let target):
            "\(member) is a hard link to \(target), which does not exist"
        case .mountPoint(let member): "\(member): something is mounted there"
        case .rootIsNoDirectory: "the archive replaces its own root directory by something else"
        }
    }

    package var hint: String? {
        switch self {
        case .refused(_, let error): error.hint
        case .mountPoint: "Unmount it first."
        case .missingLinkTarget, .rootIsNoDirectory: nil
        }
    }
}
