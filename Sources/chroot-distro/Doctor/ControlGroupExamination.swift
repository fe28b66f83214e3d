import Libc
import Platform

/// Which control groups there are and whether one can be made (cgroups(7)).
enum ControlGroupExamination {
    static func findings(isRoot: Bool) -> [Finding] {
        let tree = ControlGroupTree.found
        let words = tree.unified.flatMap { HostText.line($0 / "cgroup.controllers") } ?? ""
        let controllers = words.split(separator: " ").compactMap {
            ResourceLimits.Controller(rawValue: String($0))
        }
        let finding = judge(hasUnified: tree.unified != nil, Set(controllers), legacy: Set(tree.legacy.keys))
        return [finding] + (tree.unified.map { [delegation($0, isRoot: isRoot)] } ?? [])
    }

    static func judge(
        hasUnified: Bool, _ unified: Set<ResourceLimits.Controller>, legacy: Set<ResourceLimits.Controller>
    ) -> Finding {
        let id = "kernel.cgroups"
        guard hasUnified || !legacy.isEmpty else {
            return Finding(
                id, .note, "no control groups are mounted",
                because: "limits (--memory, --cpus, --pids) cannot be set",
                remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
        let version =
            !hasUnified ? "version 1" : legacy.isEmpty ? "version 2" : "versions 1 and 2 side by side"
        let missing = ResourceLimits.Controller.allCases.filter {
            !unified.contains($0) && !legacy.contains($0)
        }
        if missing.isEmpty {
            return Finding(
                id, .ok, "control groups: \(version), with limits for memory, processors and processes")
        }
        return Finding(
            id, .note,
            "control groups: \(version), without \(missing.map(\.rawValue).joined(separator: ", "))",
            because: "limits of that kind cannot be set",
            remedy: "Add the controllers to the kernel's command line, such as: cgroup_enable=memory")
    }

    /// Tries to make a group, and removes it at once.
    private static func delegation(_ unified: HostPath, isRoot: Bool) -> Finding {
        let id = "kernel.cgroup-delegation"
        guard isRoot else { return .needsRoot(id, "whether a control group can be made") }
        let trial = Trial {
            let path = (unified / "chroot-distro.trial-\(getpid())").rawValue
            guard mkdir(path, 0o755) == 0 else { return errno }
            return rmdir(path) == 0 ? 0 : errno
        }
        if trial.isSuccess { return Finding(id, .ok, "a control group can be made in \(unified)") }
        return Finding(
            id, .note, "no control group can be made in \(unified): \(trial.reason)",
            because:
                "the processes of a container are told by their mount namespace, and no limits can be set",
            remedy:
                "Run it where control groups are delegated, such as: systemd-run --scope -p Delegate=yes chroot-distro …"
        )
    }
}
