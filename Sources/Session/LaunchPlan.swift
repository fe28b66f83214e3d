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
    /// What this session asked for itself, such as binds; it is in `mounts` too.
    package var requests: [MountStep]
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
    /// Whether nothing but memory file systems can be written to.
    package var isReadOnly = false
    /// Changes go to memory and vanish.
    package var isEphemeral = false
    /// Where its files are when it is not installed.
    package var image: ImageRoot?
    /// Whether the system calls that a guest has no business with are denied to it.
    package var isFiltered = false
    /// What stands between the guest and the host.
    package var boundary: Boundary = .none
    /// The capabilities that are left where they have to be the boundary.
    package var confined: CapabilitySet = .none
    /// Whether nothing less than the whole of isolation will do.
    package var isStrict = false
    /// Namespaces that the mode has and this kernel has not.
    var missing: NamespaceSet = []

    /// How much of the host a container shares; it cannot differ between the sessions of a running one.
    package enum Mode: String, Sendable, CaseIterable {
        case standard = "default"
        case minimal, namespaces, isolated

        /// The mode of a running container; `nil` when it does not run.
        package init?(running name: ContainerName, in layout: StateLayout) {
            guard let registry = SessionRegistry.read(name, in: layout), !registry.holderIsEnding(),
                let record = registry.recordedHolder(), record.identity.isAlive
            else { return nil }
            self.init(rawValue: record.mode)
        }

        /// The namespaces of the container's own.
        var namespaces: NamespaceSet {
            switch self {
            case .standard, .minimal: .mount
            case .namespaces, .isolated: [.mount, .process, .hostname, .ipc, .cgroup]
            }
        }

        /// The option that asks for it; `nil` for what needs none.
        var option: String? {
            switch self {
            case .standard: nil
            case .minimal: "--minimal"
            case .namespaces: "CD_USE_NS=1"
            case .isolated: "--isolated"
            }
        }
    }

    /// What stands between guest and host.
    package enum Boundary: Hashable, Sendable {
        /// Nothing: root inside is root on this machine.
        case none
        /// A user namespace: root inside is the first of these ids, and nobody to the host.
        case range(IDRange)
        /// Capabilities alone, where the kernel cannot do better.
        case capabilities(CapabilitySet)
    }

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

        /// Whether nothing else will do.
        var isNeeded: Bool { if case .preferred = self { false } else { true } }
    }

    /// The directory that its root is made of.
    func openFiles(in layout: StateLayout) throws -> Directory {
        try ContainerStore.rootfsDirectory(of: image?.name ?? container, in: image?.layout ?? layout)
    }

    /// Whom a terminal of the guest's own belongs to, as the host counts; `nil` for a user that is nobody here.
    var terminalOwner: uid_t? {
        guard case .range(let range) = boundary else { return privileges.user }
        return privileges.user < range.count ? range.start + privileges.user : nil
    }

    /// The namespaces of the container's own.
    var namespaces: NamespaceSet { mode.namespaces.subtracting(missing) }

    /// The host name of a container that has one of its own: its name, as far as that can be one.
    var ownHostname: String {
        if let hostname { return hostname }
        let name = container.description
        return LaunchPlanner.isLegal(hostname: name) ? name : "localhost"
    }

    /// The command as `ps` shows it.
    package var shownCommand: [String] {
        switch command {
        case .shell(let shell): [shell.text, "-l"]
        case .words(let words, _): words.map(\.text)
        }
    }

    /// What is mounted and later sessions may ask for too.
    var recordedSteps: [MountStep] {
        mounts.binds.map { .bind($0, required: true) }
            + requests.filter { step in if case .bind = step { false } else { true } }
    }

    /// The binds among the requests.
    package var binds: [BindSpec] { MountPlan(requests).binds }

    /// The binds whose owners shall be mapped are bound as they are.
    mutating func forgoOwners() {
        func plain(_ step: MountStep) -> MountStep {
            guard case .bind(let spec, let required) = step else { return step }
            return .bind(spec.withPlainOwners, required: required)
        }
        mounts.steps = mounts.steps.map(plain)
        requests = requests.map(plain)
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
    /// An option that takes away what another one promises.
    case contradicts(String, String)
    case modeDiffers(ContainerName, running: String, asked: String)
    case sharesTemporary(ContainerName)
    case notReadOnly(ContainerName)
    /// It runs on its own files.
    case notEphemeral(ContainerName)
    /// It runs without users of its own.
    case isWeak(ContainerName)
    case isReadOnly(ContainerName)
    case cannotAdd(ContainerName, GuestPath, reason: String)
    /// Something else is mounted there already.
    case otherInPlace(ContainerName, GuestPath, mounted: String, asked: String)
    case noDevice(HostPath)
    case limitsDiffer(ContainerName, running: ResourceLimits, asked: ResourceLimits)
    /// What a child process on its way into the container met.
    case inside(String, hint: String?, ExitStatus)

    static func cannotEnter(_ directory: RawString, _ error: SystemError) -> LaunchError {
        .inside(
            "the working directory \(directory) cannot be entered: \(error.reason)",
            hint: "Give a directory that exists in the container with --work-dir.", .failure)
    }

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
        case .minimalShares(let flag): "--minimal shares no files of the host, so \(flag) contradicts it"
        case .modeDiffers(let name, let running, let asked):
            "container \(name) is running in \(running) mode and cannot be entered in \(asked) mode"
        case .sharesTemporary(let name):
            "container \(name) is running with a /tmp that is not its own"
        case .contradicts(let one, let other): "\(one) and \(other) contradict each other"
        case .notEphemeral(let name):
            "container \(name) is running without --rm, so what is changed in it stays"
        case .notReadOnly(let name): "container \(name) is running with a root that can be written to"
        case .isWeak(let name):
            "container \(name) is running isolated by few capabilities only, as this kernel could do no better"
        case .isReadOnly(let name): "container \(name) is running with a read-only root"
        case .cannotAdd(let name, let target, let reason):
            "nothing can be mounted on \(target) in \(name) while it is running: \(reason)"
        case .otherInPlace(let name, let target, let mounted, let asked):
            "\(target) in \(name) is \(mounted) already, not \(asked)"
        case .noDevice(let path): "\(path) is not a device of this host"
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
        case .contradicts: "Leave one of the two out."
        case .noDevice: "Name a device node, or a directory of them."
        case .modeDiffers(let name, _, _), .cannotAdd(let name, _, _), .sharesTemporary(let name),
            .notReadOnly(let name), .notEphemeral(let name), .isWeak(let name), .isReadOnly(let name),
            .otherInPlace(let name, _, _, _),
            .limitsDiffer(let name, _, _):
            "Stop it first with: chroot-distro unmount \(name)"
        case .inside(_, let hint, _): hint
        }
    }

    package var status: ExitStatus {
        if case .inside(_, _, let status) = self { status } else { .failure }
    }
}
