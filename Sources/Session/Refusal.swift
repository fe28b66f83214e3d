import Libc
import Platform
import Store

/// A step of isolation that this machine refuses.
struct Refusal: UserFacing {
    let container: ContainerName
    let step: any Error

    private var reason: String {
        guard let error = step as? SystemError else { return (step as? any UserFacing)?.message ?? "\(step)" }
        return switch (error.call, error.code) {
        case ("clone", ENOSPC): "user namespaces are switched off (/proc/sys/user/max_user_namespaces)"
        case ("clone", EINVAL), ("clone", ENOSYS): "this kernel has no user namespaces"
        case ("clone", _): "a user namespace was refused: \(error.reason)"
        case ("mount_setattr", EINVAL): "the file system of its root cannot show files as another user's"
        case ("mount_setattr", ENOSYS): "this kernel cannot show files as another user's (Linux 5.12 can)"
        default: "\(error.call) was refused: \(error.reason)"
        }
    }

    var message: String { "\(container) cannot be isolated: \(reason)" }
    var hint: String? { "Without =strict it is entered with few capabilities instead of users of its own." }

    /// What is said when it goes on without.
    var consequence: String {
        "\(container) is isolated by few capabilities and filtered system calls only: \(reason)"
    }
}

/// A filter of system calls that cannot be made.
struct MissingFilter: UserFacing {
    let container: ContainerName

    var message: String { "no system call is denied to \(container): libseccomp is not installed" }
    var hint: String? {
        "Install it: libseccomp2 (Debian), libseccomp (Fedora, Arch, Alpine, Termux); or leave =strict out."
    }
}
