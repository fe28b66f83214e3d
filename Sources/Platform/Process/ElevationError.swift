/// Why the program could not become root.
package enum ElevationError: UserFacing, Hashable {
    case forbidden
    case noTool(HostSystem)
    case stubbornSu
    case loop
    case replacedProgram
    case badHandoff(String)

    package var message: String {
        switch self {
        case .forbidden: "this needs root, and becoming root was forbidden (--no-elevate)"
        case .noTool(let host):
            host.termux == nil
                ? "this needs root, and none of sudo, doas, pkexec and su is installed"
                : "this needs root, and neither su nor sudo is there"
        case .stubbornSu: "this needs root, and the su of Termux finds none on this device"
        case .loop: "started again to become root, but still not root"
        case .replacedProgram: "the program's file has been replaced since it was started"
        case .badHandoff(let reason): "the handoff from the invoking process was refused: \(reason)"
        }
    }

    package var hint: String? {
        switch self {
        case .forbidden:
            "Leave out --no-elevate and CHROOT_DISTRO_NO_ELEVATE, or run it with: sudo chroot-distro …"
        case .noTool(let host):
            host.termux == nil
                ? Self.installHint(host) : "Root the device (Magisk, KernelSU, APatch) and grant Termux root."
        case .stubbornSu: "Root the device (Magisk, KernelSU, APatch) and grant Termux root."
        case .loop: "Check that the elevation tool runs commands as root, for example with: sudo id -u"
        case .replacedProgram: "Run the command again."
        case .badHandoff: nil
        }
    }

    private static func installHint(_ host: HostSystem) -> String {
        let tools = ["sudo", "doas", "pkexec"].map { tool in
            guard let package = MissingProgram.package(of: tool, on: host), package != tool else {
                return tool
            }
            return "\(tool) (package \(package))"
        }
        return "Install \(tools.joined(separator: ", ")), or run the command as root."
    }
}
