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

    /// Skips the test where a file of the host, such as a device, is not there.
    package static func needsFile(_ path: String) -> Self {
        .enabled(if: access(path, F_OK) == 0, "needs \(path)")
    }
}
