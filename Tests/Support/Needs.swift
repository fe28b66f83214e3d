import Libc
import Platform
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips the test for anybody but root.
    package static var needsRoot: Self { .enabled(if: geteuid() == 0, "needs root") }

    /// Skips the test where one of the programs is not installed.
    package static func needsProgram(_ names: String...) -> Self {
        let missing = names.filter { Run.find($0) == nil }
        return .enabled(if: missing.isEmpty, "needs \(missing.joined(separator: ", ")); see scripts/setup")
    }

    /// Skips the test where user namespaces are switched off or unknown.
    package static var needsIsolation: Self { .enabled(if: Possible.userNamespaces, "needs user namespaces") }

    /// Skips the test where no disk of that kind can be made in a file and mounted.
    package static func needsDisk(_ kind: String) -> Self {
        .enabled(if: Possible.disk(kind), "needs mkfs.\(kind), root and loop devices; see scripts/setup")
    }

    /// Skips the test where a file of the host, such as a device, is not there.
    package static func needsFile(_ path: String) -> Self {
        .enabled(if: access(path, F_OK) == 0, "needs \(path)")
    }
}

/// What this machine lets a test do, found out by doing it.
private enum Possible {
    static let userNamespaces =
        (try? Run.program("unshare", ["--user", "--map-root-user", "--mount", "--pid", "--fork", "true"]))?
        .status == .success

    /// In mounts that nobody else sees.
    static func disk(_ kind: String) -> Bool {
        guard geteuid() == 0, Run.find("mkfs.\(kind)") != nil else { return false }
        let script = """
            work=$(mktemp -d -p /var/tmp); trap 'cd /; rm -rf "$work"' EXIT; cd "$work"
            truncate -s 4M image; mkdir disk; mkfs.$1 image && mount -o loop image disk && umount disk
            """
        let words = ["--mount", "--propagation", "private", "sh", "-c", script, "sh", kind]
        return (try? Run.program("unshare", words))?.status == .success
    }
}
