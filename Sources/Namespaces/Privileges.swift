import CLinux
import Libc
import Platform

/// Who the guest process is, and what it may not do.
package struct Privileges: Hashable, Sendable {
    package var user: uid_t
    package var group: gid_t
    /// Supplementary groups, without duplicates.
    package var groups: [gid_t]
    /// All others are taken out of the bounding set, so that no program gains them again.
    package var capabilities: CapabilitySet
    /// Whether no program may gain anything by being executed, setuid or not (PR_SET_NO_NEW_PRIVS).
    package var hasNoNewPrivileges: Bool

    package init(
        user: uid_t, group: gid_t, groups: [gid_t], capabilities: CapabilitySet,
        hasNoNewPrivileges: Bool = false
    ) {
        self.user = user
        self.group = group
        self.groups = groups
        self.capabilities = capabilities
        self.hasNoNewPrivileges = hasNoNewPrivileges
    }
}
