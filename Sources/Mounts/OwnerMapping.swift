import CLinux
import Libc
import Platform

/// Whose files of the host a bind shows as whose: two owners change places, all others stay themselves.
///
/// The kernel does it (mount_setattr(2), "ID-mapped mounts"), so no file changes and what the guest makes belongs to
/// the host's user.
package struct OwnerMapping: Hashable, Sendable {
    package let hostUser: uid_t
    /// `nil` where that is root's, which no guest is given: a file of that group can be a program with its rights.
    package let hostGroup: gid_t?
    package let guestUser: uid_t
    package let guestGroup: gid_t
    /// Whether all other owners are nobody, rather than themselves.
    package let isExclusive: Bool

    package init(
        hostUser: uid_t, hostGroup: gid_t?, guestUser: uid_t, guestGroup: gid_t, isExclusive: Bool = false
    ) {
        self.hostUser = hostUser
        self.hostGroup = hostGroup == 0 ? nil : hostGroup
        self.guestUser = guestUser
        self.guestGroup = guestGroup
        self.isExclusive = isExclusive
    }

    /// The same for a guest whose ids are those of this host's range.
    package func shifted(by range: IDRange) -> OwnerMapping {
        OwnerMapping(
            hostUser: hostUser, hostGroup: hostGroup, guestUser: range.host(guestUser),
            guestGroup: range.host(guestGroup), isExclusive: isExclusive)
    }

    /// A user namespace that says so, as `mount_setattr` takes it; the descriptor keeps it.
    func namespace() throws(SystemError) -> FileDescriptor {
        func lines(_ host: UInt32, _ guest: UInt32) -> String {
            isExclusive ? "\(host) \(guest) 1\n" : Self.lines(host, guest)
        }
        return try UserNamespace.make(
            users: lines(hostUser, guestUser),
            groups: hostGroup.map { lines($0, guestGroup) }
                ?? (isExclusive ? lines(Self.nobody, guestGroup) : Self.lines(0, 0)))
    }

    /// Without any line a map is not complete.
    private static let nobody: gid_t = 65534

    /// One past the largest id there is; the number itself means "none".
    private static let end: UInt32 = .max

    /// The lines of a `uid_map` in which two ids change places (user_namespaces(7)).
    package static func lines(_ one: UInt32, _ other: UInt32) -> String {
        guard one != other else { return "0 0 \(end)\n" }
        let (low, high) = (min(one, other), max(one, other))
        let ranges: [(from: UInt32, to: UInt32, count: UInt32)] = [
            (0, 0, low), (low, high, 1), (low + 1, low + 1, high - low - 1), (high, low, 1),
            (high + 1, high + 1, end - high - 1),
        ]
        return ranges.filter { $0.count > 0 }.map { "\($0.from) \($0.to) \($0.count)\n" }.joined()
    }
}
