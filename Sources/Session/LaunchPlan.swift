import Libc
import Mounts
import Namespaces
import Platform
import Store

/// All that a session is: computed before anything is touched, printed by `--get-chroot-cmd`, carried out by a
/// launcher.
package struct LaunchPlan: Sendable, Equatable {
    package var container: ContainerName
    package var kind: SessionRecord.Kind
    package var mode: Mode
    /// What every session of the running container shares.
    package var mounts: MountPlan
    /// The binds that were asked for with this session; they are in `mounts` too.
    package var binds: [BindSpec]
    /// Whether the container's own `/tmp` was asked for.
    package var keepsTemporary: Bool
    package var privileges: Privileges
    /// The user as it was asked for.
    package var user: String
    package var environment: Environment
    package var command: Command
    package var workingDirectory: WorkingDirectory
    /// The guest's home, made when it is missing and not the root.
    package var home: GuestPath
    /// A host name of the session's own; `nil` leaves the host's.
    package var hostname: String?
    /// What all sessions of the container may use together.
    package var limits: ResourceLimits

    /// How much of the host a container shares; it cannot differ between the sessions of a running one.
    package enum Mode: String, Sendable { case standard = "default", minimal }

    /// What is executed.
    package enum Command: Sendable, Equatable {
        /// The user's login shell, interactive.
        case shell(RawString)
        /// A program with its arguments; when it is not found, the shell gets the words, since they may be its own.
        case words([RawString], shell: RawString?)
    }

    /// Where the guest starts.
    package enum WorkingDirectory: Sendable, Equatable {
        /// Asked for: it must exist.
        case required(RawString)
        /// The image's: it is made when it is missing.
        case made(RawString)
        /// The home: the root takes its place when it cannot be entered.
        case preferred(RawString)

        package var path: RawString {
            switch self {
            case .required(let path), .made(let path), .preferred(let path): path
            }
        }
    }

    /// The command as `ps` shows it.
    package var shownCommand: [String] {
        switch command {
        case .shell(let shell): [shell.text, "-l"]
        case .words(let words, _): words.map(\.text)
        }
    }

    /// The binds whose owners shall be mapped are bound as they are.
    mutating func forgoOwners() {
        mounts.steps = mounts.steps.map { step in
            guard case .bind(let spec, let required) = step else { return step }
            return .bind(spec.withPlainOwners, required: required)
        }
        binds = binds.map(\.withPlainOwners)
    }
}

/// Why a session cannot be planned or started.
package enum LaunchError: UserFacing, Equatable {
    case nothingToRun(ContainerName)
    case noManifest(ContainerName)
    case noHome
    case homeOfRoot(HostPath, user: String)
    case badHostname(String)
    case badVariable(String)
    case minimalShares(String)
    case modeDiffers(ContainerName, running: String, asked: String)
    case sharesTemporary(ContainerName)
    case cannotAddBind(ContainerName, BindSpec)
    case limitsDiffer(ContainerName, running: ResourceLimits, asked: ResourceLimits)
    /// What a child process on its way into the container met.
    case inside(String, hint: String?, ExitStatus)

    package var message: String {
        switch self {
        case .nothingToRun(let name):
            "the image of \(name) defines neither Entrypoint nor Cmd, and no command was given"
        case .noManifest(let name):
            "container \(name) was not made from an image, so there is nothing recorded to run"
        case .noHome: "there is no home directory to share"
        case .homeOfRoot(let path, let user):
            "\(path) belongs to root of this host and is not shared with \(Quoted(user))"
        case .badHostname(let text): "\(Quoted(text)) is not a host name"
        case .badVariable(let text): "--env \(Quoted(text)) has no variable name"
        case .minimalShares(let flag): "--minimal shares nothing of the host, so \(flag) contradicts it"
        case .modeDiffers(let name, let running, let asked):
            "container \(name) is running in \(running) mode and cannot be entered in \(asked) mode"
        case .sharesTemporary(let name):
            "container \(name) is running with a /tmp that is not its own"
        case .cannotAddBind(let name, let bind):
            "\(bind.source) cannot be bound into \(name) while it is running: this kernel is too old for that"
        case .limitsDiffer(let name, let running, let asked):
            "container \(name) is running \(running.isEmpty ? "without limits" : "with \(running)") and cannot be entered with \(asked)"
        case .inside(let message, _, _): message
        }
    }

    package var hint: String? {
        switch self {
        case .nothingToRun(let name):
            "Give one: chroot-distro run \(name) -- COMMAND · or: chroot-distro login \(name)"
        case .noManifest(let name): "Use: chroot-distro login \(name)"
        case .noHome: "Bind a directory instead: --bind DIR:/root"
        case .homeOfRoot:
            "Call the program as the user whose home it shall be, or bind a directory with --bind."
        case .badHostname: "Use letters, digits, '-' and '.', at most 63 characters between the dots."
        case .badVariable: "Use --env NAME=VALUE."
        case .minimalShares: "Leave one of the two out; --bind still works with --minimal."
        case .modeDiffers(let name, _, _), .cannotAddBind(let name, _), .sharesTemporary(let name),
            .limitsDiffer(let name, _, _):
            "Stop it first with: chroot-distro unmount \(name)"
        case .inside(_, let hint, _): hint
        }
    }

    package var status: ExitStatus {
        if case .inside(_, _, let status) = self { status } else { .failure }
    }
}
