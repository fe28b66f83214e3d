import Libc
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
    package static var needsIsolation: Self {
        let limit = (try? Run.succeeding("cat", ["/proc/sys/user/max_user_namespaces"])) ?? "0"
        return .enabled(if: limit != "0\n", "needs user namespaces")
    }

    /// Skips the test where a file of the host, such as a device, is not there.
    package static func needsFile(_ path: String) -> Self {
        .enabled(if: access(path, F_OK) == 0, "needs \(path)")
    }
}
