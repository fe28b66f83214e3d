import Mounts
import Namespaces
import Platform
import Store

/// A plan as the shell command that comes closest to it: what `--get-chroot-cmd` prints.
package enum PlanPrinter {
    /// One word a line, joined by backslashes.
    ///
    /// Nothing is started, mounted or written for it. What an image says of itself cannot steer the terminal that
    /// shows it, and the shell still reads the very same bytes.
    package static func command(_ plan: LaunchPlan, rootfs: HostPath) -> String {
        var lines: [[String]] = [["unshare", "--mount", "--propagation=slave"] + unshared(plan)]
        var script: [String] = []
        for step in plan.mounts.steps { script.append(line(step, rootfs: rootfs)) }
        if plan.isEphemeral {
            let root = ShellWords.quote(rootfs.rawValue)
            script.insert(
                "t=$(mktemp -d) && mount -t tmpfs tmpfs $t && mkdir $t/upper $t/work && mount -t overlay -o "
                    + "lowerdir=\(root),upperdir=$t/upper,workdir=$t/work overlay \(root)", at: 0)
        }
        if plan.isReadOnly { script.append("mount -o remount,bind,ro \(ShellWords.quote(rootfs.rawValue))") }
        if plan.isFiltered {
            script.append("# system calls that reach beyond a container are denied (seccomp)")
        }
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
        if !dropped.isEmpty {
            words.append("--bounding-set=" + dropped.map { "-\($0)" }.joined(separator: ","))
        }
        if plan.privileges.hasNoNewPrivileges { words.append("--no-new-privs") }
        return words.isEmpty ? [] : ["setpriv"] + words
    }

    private static func chroot(_ plan: LaunchPlan, rootfs: HostPath) -> String {
        let privileges = plan.privileges
        var words: [RawString] = ["env", "-i"] + plan.environment.entries
        words += reduced(plan).map { RawString($0) }
        words += ["chroot", RawString("--userspec=\(privileges.user):\(privileges.group)")]
        words.append(RawString("--groups=" + privileges.groups.map(String.init).joined(separator: ",")))
        words.append(RawString(rootfs.rawValue))
        let inner: [RawString] =
            switch plan.command {
            case .shell(let shell): [shell, "-l"]
            case .words(let arguments, _): arguments
            }
        let script = "cd \(quote(plan.workingDirectory.path)) && exec \(join(inner))"
        return join(words + ["/bin/sh", "-c", RawString(script)])
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

    private static func join(_ words: [String]) -> String { join(words.map { RawString($0) }) }

    private static func join(_ words: [RawString]) -> String { words.map(quote).joined(separator: " ") }

    /// A word for sh; what a terminal would obey, and what is not UTF-8, is written by printf(1).
    private static func quote(_ word: RawString) -> String {
        guard let text = String(validating: word.bytes, as: UTF8.self) else {
            return quote(word.bytes.map { ([$0], isShown: (0x20..<0x7f).contains($0) || $0 == 0x0a) })
        }
        return quote(text.unicodeScalars.map { (Array(String($0).utf8), isShown: isShown($0)) })
    }

    private static func quote(_ pieces: [(bytes: [UInt8], isShown: Bool)]) -> String {
        guard pieces.contains(where: { !$0.isShown }) else { return shown(pieces.flatMap(\.bytes)) }
        var result = ""
        var rest = pieces[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isShown == first.isShown }
            let bytes = run.flatMap(\.bytes)
            result += first.isShown ? shown(bytes) : "\"$(printf '\(bytes.map(octal).joined())')\""
            rest = rest.dropFirst(run.count)
        }
        return result
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        RawString(bytes: bytes).map { ShellWords.quote($0).text } ?? ""
    }

    private static func octal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }

    /// A line's end stands inside of quotes, and a backslash is nothing to a terminal.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\\" || Quoted(String(scalar)).description == String(scalar)
    }
}
