import Platform

/// What guards this host and could stand in the way.
enum SecurityExamination {
    static func findings() -> [Finding] {
        [
            selinux(enforcing: HostText.line("/sys/fs/selinux/enforce")),
            appArmor(
                enabled: HostText.line("/sys/module/apparmor/parameters/enabled"),
                restricts: HostText.line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")),
            yama(scope: HostText.line("/proc/sys/kernel/yama/ptrace_scope")),
        ]
    }

    static func selinux(enforcing: String?) -> Finding {
        switch enforcing {
        case nil: Finding("security.selinux", .ok, "SELinux is not in use")
        case "0": Finding("security.selinux", .ok, "SELinux is permissive")
        default:
            Finding(
                "security.selinux", .note, "SELinux is enforcing",
                because:
                    "it may refuse what a container does, and says so in the audit log only; it is never turned off from here",
                remedy: "ausearch -m avc -ts recent")
        }
    }

    static func appArmor(enabled: String?, restricts: String?) -> Finding {
        guard enabled == "Y" else { return Finding("security.apparmor", .ok, "AppArmor is not in use") }
        guard restricts == "1" else { return Finding("security.apparmor", .ok, "AppArmor is in use") }
        return Finding(
            "security.apparmor", .note, "AppArmor keeps users from making user namespaces",
            because: "rootless tools inside containers may fail; this program itself is not concerned",
            remedy: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    }

    static func yama(scope: String?) -> Finding {
        switch scope {
        case nil: Finding("security.yama", .ok, "Yama is not in use")
        case "0": Finding("security.yama", .ok, "debuggers may attach to processes of the same user")
        case "3":
            Finding(
                "security.yama", .note, "nobody may trace processes (kernel.yama.ptrace_scope is 3)",
                because: "proot, strace and gdb do not work until the next boot")
        case let value?:
            Finding(
                "security.yama", .ok,
                "debuggers may attach to their own children (ptrace_scope is \(Quoted(value)))")
        }
    }
}
