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

    /// Becomes that process for good; call it last before exec.
    ///
    /// A capability out of the bounding set is lost to root at the next exec, unless it is inheritable
    /// (capabilities(7), "Transformation"). With `isConfined` the caller's keys must not be there afterwards.
    package func take(_ filter: SystemCallFilter? = nil, isConfined: Bool = false) throws(SystemError) {
        try leaveKeyring(isConfined: isConfined)
        if hasNoNewPrivileges { try syscall("prctl", "no_new_privs") { cd_set_no_new_privileges() } }
        // It denies what comes to the keyring, and loading it takes a capability that may go with the user.
        try filter?.load()
        _ = cd_clear_ambient_capabilities()
        try syscall("capset") { cd_clear_inheritable_capabilities() }
        try dropCapabilities()
        try syscall("setgroups") { cd_set_groups(groups.count, groups) }
        try syscall("setresgid", "\(group)") { cd_set_gids(group) }
        try syscall("setresuid", "\(user)") { cd_set_uids(user) }
    }

    /// The caller's session keyring may hold its secrets; a kernel without keyrings has none to leave.
    private func leaveKeyring(isConfined: Bool) throws(SystemError) {
        guard cd_join_session_keyring(nil) < 0, errno != ENOSYS else { return }
        if isConfined || errno != EPERM && errno != EDQUOT && errno != EACCES {
            throw SystemError("keyctl", code: errno)
        }
    }

    private func dropCapabilities() throws(SystemError) {
        for number in Int32(0)..<64 where !capabilities.contains(number) {
            guard cd_drop_bounding_capability(number) < 0 else { continue }
            // This kernel does not have that one, nor any after it.
            if errno == EINVAL { return }
            throw SystemError("prctl", "capability \(number)", code: errno)
        }
    }
}
