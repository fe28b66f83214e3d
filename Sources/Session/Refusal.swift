import Libc
import Namespaces
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
    var hint: String? {
        step is MissingNamespaces || step is RefusedNamespaces
            ? "Without =strict it shares those with the host."
            : "Without =strict it is entered with few capabilities instead of users of its own."
    }

    /// What is said when it goes on without.
    var consequence: String {
        "\(container) is isolated by few capabilities and filtered system calls only: \(reason)"
    }
}

/// A filter of system calls that cannot be had.
struct MissingFilter: UserFacing {
    let container: ContainerName
    /// Whether it is the kernel that knows no filters, rather than a library that is missing.
    let isForKernel: Bool

    var message: String {
        let reason = isForKernel ? "this kernel has no filters for them" : "libseccomp is not installed"
        return "no system call is denied to \(container): \(reason)"
    }
    var hint: String? {
        isForKernel
            ? "Without =strict it is entered without a filter."
            : "Install it: libseccomp2 (Debian), libseccomp (Fedora, Arch, Alpine, Termux); or leave =strict out."
    }
}

/// Namespaces that this kernel does not have.
struct MissingNamespaces: UserFacing {
    let kinds: NamespaceSet

    var message: String { "this kernel has no namespaces for \(kinds.names.joined(separator: ", "))" }
    var hint: String? { nil }
}

/// Namespaces that this kernel knows and does not give.
struct RefusedNamespaces: UserFacing {
    let refused: [(kind: NamespaceSet, reason: String)]

    var kinds: NamespaceSet { refused.reduce(into: []) { $0.formUnion($1.kind) } }

    var message: String {
        "namespaces were refused for "
            + refused.map { "\($0.kind.names.joined()) (\($0.reason))" }.joined(separator: ", ")
    }
    var hint: String? { "Look at the limits in /proc/sys/user." }
}
