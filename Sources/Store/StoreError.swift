import Libc
import Platform

/// What the store of containers cannot do.
package enum StoreError: UserFacing, Equatable {
    case notInstalled(ContainerName, near: ContainerName?)
    case nameTaken(ContainerName)
    /// `holder` is what the command that has the lock noted, already safe to print.
    case busy(ContainerName, holder: String)
    case running(ContainerName, sessions: Int)
    case untrusted(HostPath)
    case unreadable(HostPath)
    case broken(ContainerName, reason: String)
    case mountInside(ContainerName, GuestPath)
    /// Every id that a container could have for its own is somebody's.
    case noIDs(ContainerName)

    package var message: String {
        switch self {
        case .notInstalled(let name, _): "container \(name) is not installed"
        case .nameTaken(let name): "container \(name) exists already"
        case .busy(let name, let holder):
            holder.isEmpty
                ? "container \(name) is in use by another command"
                : "container \(name) is in use by \(holder)"
        case .running(let name, let sessions):
            sessions == 0
                ? "container \(name) is running"
                : "container \(name) is running with \(sessions) open session(s)"
        case .untrusted(let path):
            "\(path) belongs to or can be written by somebody else, so nothing in it can be trusted"
        case .unreadable(let path): "\(path) cannot be read by this user"
        case .broken(let name, let reason): "container \(name) is damaged: \(reason)"
        case .noIDs(let name): "there are no user and group ids left for \(name) alone"
        case .mountInside(let name, let path):
            "something is mounted on \(path) of container \(name); nothing behind it was touched"
        }
    }

    package var hint: String? {
        switch self {
        case .notInstalled(let name, let near):
            if let near {
                "Did you mean \(near)? See them all with: chroot-distro list"
            } else {
                "Install it with: chroot-distro install \(name)"
            }
        case .nameTaken(let name):
            "Enter it with: chroot-distro login \(name) · choose another name with --name · "
                + "or delete it with: chroot-distro remove \(name)"
        case .busy: "Wait until that command is done, or end it."
        case .running(let name, _): "Stop it first with: chroot-distro unmount \(name)"
        case .untrusted(let path):
            "Correct it with: chown \(geteuid()) \(path) && chmod go-w \(path) · or choose another directory with "
                + "XDG_DATA_HOME and XDG_CACHE_HOME"
        case .unreadable: "Run it as root, for example with sudo."
        case .broken(let name, _): "Delete it with: chroot-distro remove \(name)"
        case .noIDs: "Give root some in /etc/subuid and /etc/subgid: root:START:65536"
        case .mountInside: "Unmount it by hand (umount), then run the command again."
        }
    }
}
