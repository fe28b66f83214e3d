import Libc
import Platform

/// What the kernel can do, each by trying it.
enum KernelExamination {
    static func findings(isRoot: Bool, release: String) -> [Finding] {
        KernelFeature.allCases.map { judge($0, $0.attempt(), isRoot: isRoot, release: release) }
            + limits(read: { number($0) })
    }

    /// What is said of a feature: its name for people, how bad its absence is, and what is lost without it.
    private static func meaning(_ feature: KernelFeature) -> (
        id: String, name: String, Finding.Severity, String
    ) {
        switch feature {
        case .mountNamespace:
            ("mount-namespace", "mount namespaces", .problem, "no container can be entered without them")
        case .pidNamespace:
            (
                "pid-namespace", "PID namespaces", .warning,
                "CD_USE_NS and --isolated cannot hide other processes"
            )
        case .utsNamespace: ("uts-namespace", "UTS namespaces", .note, "--hostname does not work")
        case .ipcNamespace:
            ("ipc-namespace", "IPC namespaces", .note, "containers share System V IPC with the host")
        case .cgroupNamespace:
            ("cgroup-namespace", "cgroup namespaces", .note, "containers see the names of the host's cgroups")
        case .userNamespace:
            (
                "user-namespace", "user namespaces", .warning,
                "--isolated falls back to fewer capabilities and a filter"
            )
        case .networkNamespace: ("network-namespace", "network namespaces", .note, "nothing here needs them")
        case .openat2:
            (
                "openat2", "rooted paths (openat2, Linux 5.6)", .note,
                "paths in containers are walked step by step, which is slower"
            )
        case .pidfd:
            (
                "pidfd", "descriptors of processes (pidfd_open, Linux 5.3)", .note,
                "processes are told apart by their start times"
            )
        case .mountObjects:
            (
                "mount-objects", "mount objects (fsopen and open_tree, Linux 5.2)", .note,
                "mount(2) is used instead"
            )
        case .treeAttributes:
            (
                "mount-setattr", "attributes of mount trees (mount_setattr, Linux 5.12)", .note,
                "owners cannot be shifted for --isolated"
            )
        case .seccompFilter:
            (
                "seccomp", "seccomp filters", .warning,
                "dangerous system calls cannot be kept from --isolated containers"
            )
        }
    }

    static func judge(_ feature: KernelFeature, _ trial: Trial, isRoot: Bool, release: String) -> Finding {
        let (id, name, severity, loss) = meaning(feature)
        if trial.isSuccess { return Finding("kernel.\(id)", .ok, "\(name) work") }
        if trial.lacksRights, !isRoot { return .needsRoot("kernel.\(id)", "whether \(name) work") }
        return Finding(
            "kernel.\(id)", severity, "\(name) do not work: \(trial.reason) (kernel \(Quoted(release)))",
            because: loss, remedy: "Use a kernel that has them, or allow them where this runs.")
    }

    /// The switches by which administrators turn user namespaces off.
    static func limits(read: (HostPath) -> Int?) -> [Finding] {
        var findings: [Finding] = []
        let off = "--isolated cannot give a container users of its own"
        if let most = read("/proc/sys/user/max_user_namespaces") {
            findings.append(
                most > 0
                    ? Finding("kernel.user-namespace-limit", .ok, "\(most) user namespaces may exist")
                    : Finding(
                        "kernel.user-namespace-limit", .warning, "no user namespace may exist", because: off,
                        remedy: "sysctl -w user.max_user_namespaces=10000"))
        }
        if let clone = read("/proc/sys/kernel/unprivileged_userns_clone"), clone == 0 {
            findings.append(
                Finding(
                    "kernel.user-namespace-switch", .note, "only root may make user namespaces",
                    because: "proot and rootless tools beside this one may need them; this program does not"))
        }
        return findings
    }

    /// The number in a file of /proc/sys.
    static func number(_ path: HostPath) -> Int? { HostText.line(path).flatMap { Int($0) } }
}

/// Small files of the kernel's.
enum HostText {
    /// The first line, without what is not printable; `nil` when it cannot be read or is empty.
    static func line(_ path: HostPath) -> String? {
        text(path)?.split(separator: "\n").first.map { Quoted(String($0)).description }
    }

    /// The whole text; `nil` when it cannot be read.
    static func text(_ path: HostPath, limit: Int = 1 << 20) -> String? {
        guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY),
            let bytes = try? file.readAll(limit: limit)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func exists(_ path: HostPath) -> Bool { access(path.rawValue, F_OK) == 0 }
}
