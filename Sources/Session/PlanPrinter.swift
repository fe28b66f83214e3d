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
        var lines: [[String]] = [["unshare", "--mount", "--propagation=slave"]]
        var script: [String] = []
        for step in plan.mounts.steps { script.append(line(step, rootfs: rootfs)) }
        let chroot = self.chroot(plan, rootfs: rootfs)
        lines.append(["sh", "-c", (["set -e"] + script + ["exec " + chroot]).joined(separator: "\n")])
        let words = lines.flatMap { $0 }.map { ShellWords.quote($0) }
        return words.joined(separator: " \\\n  ")
    }

    private static func chroot(_ plan: LaunchPlan, rootfs: HostPath) -> String {
        let privileges = plan.privileges
        var words = ["env", "-i"] + plan.environment.entries.map(\.text)
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
            }
        if case .bind(_, required: false) = step { return join(words) + " || :" }
        return join(words)
    }

    private static func join(_ words: [String]) -> String {
        ShellWords.join(words.map { RawString($0) }).text
    }
}
