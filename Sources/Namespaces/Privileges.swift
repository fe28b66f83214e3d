import CLinux
import Libc
import Platform

/// Who the guest process is, and what it may not do.
package struct Privileges: Hashable, Sendable {
    package var user: uid_t
    package var group: gid_t
    /// Supplementary groups, without duplicates.
    package var groups: [gid_t]
    /// Taken out of the bounding set, so that no program gains them again.
    package var droppedCapabilities: [Capability]

    package init(user: uid_t, group: gid_t, groups: [gid_t], droppedCapabilities: [Capability]) {
        self.user = user
        self.group = group
        self.groups = groups
        self.droppedCapabilities = droppedCapabilities
    }

    /// Becomes that process for good; call it last before exec.
    ///
    /// A capability out of the bounding set is lost to root at the next exec, unless it is inheritable
    /// (capabilities(7), "Transformation").
    package func take() throws(SystemError) {
        // The caller's session keyring may hold its secrets; a kernel without keyrings has none to leave.
        if cd_join_session_keyring(nil) < 0, errno != ENOSYS, errno != EPERM, errno != EDQUOT, errno != EACCES
        {
            throw SystemError("keyctl", code: errno)
        }
        _ = cd_clear_ambient_capabilities()
        try syscall("capset") { cd_clear_inheritable_capabilities() }
        for capability in droppedCapabilities {
            // EINVAL: this kernel does not have that capability.
            if cd_drop_bounding_capability(capability.rawValue) < 0, errno != EINVAL {
                throw SystemError("prctl", "\(capability)", code: errno)
            }
        }
        try syscall("setgroups") { cd_set_groups(groups.count, groups) }
        try syscall("setresgid", "\(group)") { cd_set_gids(group) }
        try syscall("setresuid", "\(user)") { cd_set_uids(user) }
    }
}
