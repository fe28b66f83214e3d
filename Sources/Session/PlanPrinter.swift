import Mounts
import Namespaces
import Platform
import Store

/// A plan as the shell command that comes closest to it: what `--get-chroot-cmd` prints.
package enum PlanPrinter {
    /// One word a line, joined by backslashes.
    ///
    /// Nothing is started, mounted or written for it.
    package static func command(_ plan: LaunchPlan, rootfs: HostPath) -> String {
        var lines: [[String]] = [["unshare", "--mount", "--propagation=slave"] + unshared(plan)]
        var script: [String] = []
        for step in plan.mounts.steps { script.append(line(step, rootfs: rootfs)) }
        if plan.isReadOnly { script.append("mount -o remount,bind,ro \(ShellWords.quote(rootfs.rawValue))") }
        if plan.isFiltered { script.append("# system calls that reach beyond a container are denied (seccomp)") }
        let chroot = self.chroot(plan, rootfs: rootfs)
        lines.append(["sh", "-c", (["set -e"] + script + ["exec " + chroot]).joined(separator: "\n")])
        let words = lines.flatMap { $0 }.map { ShellWords.quote($0) }
        return words.joined(separator: " \\\n  ")
    }

    /// The namespaces besides that of mounts, and the container's own users.
    private static func unshared(_ plan: LaunchPlan) -> [String] {
        var words: [String] = []
        if plan.namespaces.contains(.process) { words += ["--pid", "--fork", "--uts", "--ipc", "--cgroup"] }
        if case .range(let range) = plan.boundary {
            let map = "0,\(range.start),\(range.count)"
            words += ["--user", "--map-users=\(map)", "--map-groups=\(map)"]
        }
        return words
    }

    /// What setpriv(1) does with privileges before the program starts.
    private static func reduced(_ plan: LaunchPlan) -> [String] {
        var words: [String] = []
        let dropped = Capability.allCases.filter { !plan.privileges.capabilities.contains($0) }
        if !dropped.isEmpty { words.append("--bounding-set=" + dropped.map { "-\($0)" }.joined(separator: ",")) }
        if plan.privileges.hasNoNewPrivileges { words.append("--no-new-privs") }
        return words.isEmpty ? [] : ["setpriv"] + words
    }

    private static func chroot(_ plan: LaunchPlan, rootfs: HostPath) -> String {
        let privileges = plan.privileges
        var words = ["env", "-i"] + plan.environment.entries.map(\.text)
        words += reduced(plan)
        words += ["chroot", "--userspec=\(privileges.user):\(privileges.group)"]
        words.append("--groups=" + privileges.groups.map(String.init).joined(separator: ","))
        words.append(rootfs.rawValue)
        let inner: [String] =
            switch plan.command {
            case .shell(let shell): [shell.text, "-l"]
            case .words(let arguments, _): arguments.map(\.text)
            }
        let change = "cd \(ShellWords.quote(plan.workingDirectory.path.text)) && exec "
        words += ["/bin/sh", "-c", change + join(inner)]
        return join(words)
    }

    private static func line(_ step: MountStep, rootfs: HostPath) -> String {
        func place(_ target: GuestPath) -> String { rootfs.rawValue + target.absolute.text }
        let words: [String] =
            switch step {
            case .fileSystem(let type, let target, let parameters, let attributes):
                [
                    "mount", "-t", type, "-o",
                    MountOption.words(parameters, attributes).joined(separator: ","), type, place(target),
                ]
            case .bind(let spec, _):
                ["mount", "-o", spec.options.description, spec.source.rawValue, place(spec.target)]
            case .directory(let target, let mode):
                ["mkdir", "-p", "-m", String(mode, radix: 8), place(target)]
            case .node(let target, let node):
                [
                    "mknod", "-m", String(node.permissions, radix: 8), place(target),
                    node.isBlock ? "b" : "c",
                    "\(node.major)", "\(node.minor)",
                ]
            case .link(let target, let destination): ["ln", "-sf", destination.text, place(target)]
            case .mask(let target): ["mount", "-o", "bind", "/dev/null", place(target)]
            case .seal(let target): ["mount", "-o", "rbind,ro", place(target), place(target)]
            case .file(let file): ["mount", "--bind", "(\(file.label))", place(file.target)]
            }
        switch step {
        case .bind(_, required: false), .mask, .seal: return join(words) + " || :"
        default: return join(words)
        }
    }

    private static func join(_ words: [String]) -> String {
        ShellWords.join(words.map { RawString($0) }).text
    }
}
