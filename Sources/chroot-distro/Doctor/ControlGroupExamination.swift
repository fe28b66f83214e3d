import Libc
import Platform

/// Which control groups there are and whether one can be made (cgroups(7)).
enum ControlGroupExamination {
    static func findings(isRoot: Bool) -> [Finding] {
        let mounts = places(HostText.text("/proc/self/mountinfo") ?? "")
        guard let unified = mounts.unified else {
            guard mounts.legacy.isEmpty else { return [judge(mounts, controllers: [])] }
            return [
                Finding(
                    "kernel.cgroups", .note, "no cgroups are mounted",
                    because: "limits (--memory, --cpus, --pids) cannot be set",
                    remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
            ]
        }
        let controllers = (HostText.line(unified / "cgroup.controllers") ?? "").split(separator: " ").map(
            String.init)
        return [judge(mounts, controllers: controllers), delegation(unified, isRoot: isRoot)]
    }

    /// Where cgroups are mounted.
    struct Places: Equatable {
        var unified: HostPath?
        /// The controllers of version 1, in the order of mounting.
        var legacy: [String] = []
    }

    /// From the text of /proc/self/mountinfo (proc_pid_mountinfo(5)).
    static func places(_ mountinfo: String) -> Places {
        var places = Places()
        for line in mountinfo.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), words.count > dash + 3, dash > 4 else { continue }
            if words[dash + 1] == "cgroup2", places.unified == nil {
                places.unified = HostPath(String(words[4]))
            }
            guard words[dash + 1] == "cgroup" else { continue }
            let options: Set<Substring> = ["rw", "ro", "xattr", "clone_children"]
            places.legacy += words[dash + 3].split(separator: ",").filter { !options.contains($0) }.map(
                String.init)
        }
        return places
    }

    static func judge(_ places: Places, controllers: [String]) -> Finding {
        let limits: Set<String> = ["cpu", "memory", "pids"]
        let all = Set(controllers + places.legacy)
        let version =
            places.unified == nil
            ? "version 1" : places.legacy.isEmpty ? "version 2" : "versions 1 and 2 side by side"
        let missing = limits.subtracting(all).sorted()
        let names = Quoted(limits.intersection(all).sorted().joined(separator: ", "))
        if missing.isEmpty { return Finding("kernel.cgroups", .ok, "\(version), with the limits \(names)") }
        return Finding(
            "kernel.cgroups", .note, "\(version), without \(missing.joined(separator: ", "))",
            because: "limits of that kind cannot be set",
            remedy: "Add the controllers to the kernel's command line, such as: cgroup_enable=memory")
    }

    /// Tries to make a group, and removes it at once.
    private static func delegation(_ unified: HostPath, isRoot: Bool) -> Finding {
        let id = "kernel.cgroup-delegation"
        guard isRoot else { return .needsRoot(id, "whether a cgroup can be made") }
        let trial = Trial {
            let path = (unified / "chroot-distro-trial-\(getpid())").rawValue
            guard mkdir(path, 0o755) == 0 else { return errno }
            return rmdir(path) == 0 ? 0 : errno
        }
        if trial.isSuccess { return Finding(id, .ok, "a cgroup can be made in \(unified)") }
        return Finding(
            id, .note, "no cgroup can be made in \(unified): \(trial.reason)",
            because:
                "the processes of a container are told by their mount namespace, and no limits can be set",
            remedy:
                "Run it where the cgroups are delegated, such as: systemd-run --scope -p Delegate=yes chroot-distro …"
        )
    }
}
