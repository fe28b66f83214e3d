/// The machines that containers are made for, by the names that this program prints.
package enum Architecture: String, CaseIterable, Hashable, Sendable {
    case aarch64, arm, i686, riscv64, x86_64

    /// From the machine field of uname(2), such as `armv7l` or `i586`.
    package init?(uname: String) {
        switch uname {
        case "aarch64", "arm64", "aarch64_be": self = .aarch64
        case "x86_64", "amd64": self = .x86_64
        case "riscv64": self = .riscv64
        case "i386", "i486", "i586", "i686", "x86": self = .i686
        case let name where name.hasPrefix("arm"): self = .arm
        default: return nil
        }
    }
}

extension Architecture: CustomStringConvertible {
    package var description: String { rawValue }
}
