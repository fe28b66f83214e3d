import CLinux
import Libc
import Mounts
import Namespaces
import Platform

/// The child that becomes the guest's program: it is replaced by it, or reports why not and ends.
enum GuestProcess {
    /// What the supervisor prepared for it.
    struct Entrance: ~Copyable {
        let plan: LaunchPlan
        /// The container's mount namespace.
        let namespace: FileDescriptor
        /// The container's root, in that namespace.
        let root: Directory
        /// The holder, which does not end while this process is not the guest's program.
        let holder: pid_t
        /// Further namespaces of the holder's that the guest joins.
        let others: NamespaceSet
        /// Whether the container has users of its own.
        let hasUsers: Bool
        /// What is new to the running container.
        let added: MountPlan
        /// Their sources, opened on the host.
        let binds: OpenedBinds
        let interface: MountInterface
        /// What it has of the caller's terminal.
        let terminal: Supervisor.Terminal
        /// Where the master of a terminal of its own goes.
        let masterSocket: Int32
        /// Signals that the caller ignores and the guest shall ignore too, as after nohup(1).
        let ignored: [Int32]
        /// Whether the container has limits, which only count for who is in its control group.
        let isLimited: Bool
        /// Where the outcome is told.
        let report: Int32
        /// The supervisor's ends of the report and of the socket, which this process does not keep.
        let foreign: [Int32]
        /// The control group to go into, as far as this process was not born into it.
        let group: ControlGroupEntry
        /// What denies system calls to the guest; `nil` when none are denied.
        let filter: SystemCallFilter?
        /// Of a detached session.
        let console: DetachedConsole?
    }

    /// Only returns when it fails; the reason is reported.
    static func run(_ entrance: borrowing Entrance, isBorn: Bool) -> ExitStatus {
        let (plan, report) = (entrance.plan, entrance.report)
        do {
            // Until it is the guest's program, it is nothing without the supervisor, and nobody inside may look into
            // it: its program, memory, variables and descriptors are the host's.
            _ = cd_set_parent_death_signal(SIGKILL)
            _ = cd_set_dumpable(false)
            for descriptor in entrance.foreign { close(descriptor) }
            try dropDirectories()
            SignalAction.restoreDefaults()
            for signal in entrance.ignored { SignalAction.ignore.set(for: signal) }
            umask(0o022)
            try entrance.group.enter(isBorn: isBorn, isLimited: entrance.isLimited)
            try join(entrance)
            switch entrance.terminal {
            case .callers: break
            case .own:
                try GuestTerminal.take(
                    sendingMasterTo: entrance.masterSocket, owner: plan.privileges.user,
                    everywhere: entrance.console != nil)
            case .none: setsid()
            }
            entrance.console?.takePipe()
            if let hostname = plan.hostname { try take(hostname) }
            // What else the caller has open could be a way out of the container, and paths of the guest's own choice
            // come next.
            OpenDescriptors.close(except: [report])
            makeHome(plan)
            try plan.privileges.take(entrance.filter, isConfined: plan.mode == .isolated)
            // Whoever becomes somebody else may lose this (`fs.suid_dumpable`).
            _ = cd_set_dumpable(false)
            // A supervisor that is killed takes its session along, as a terminal does that is closed.
            _ = cd_set_parent_death_signal(SIGHUP)
            guard hasReader(report) else { return .failure }
            try enter(plan.workingDirectory)
            throw execute(plan)
        } catch {
            ChildReport.send(error, over: report)
            return .failure
        }
    }

    private static func join(_ entrance: borrowing Entrance) throws {
        if !entrance.others.isEmpty { try Isolation.join(entrance.holder, entrance.others) }
        let users = entrance.hasUsers ? try Isolation.users(of: entrance.namespace) : -1
        try Isolation.join(entrance.namespace, .mount)
        try Isolation.takeRoot(entrance.root)
        try attach(entrance)
        guard users >= 0 else { return }
        cd_retitle(CommandLine.unsafeArgv, "chroot-distro")
        try Isolation.join(users: users)
        try Isolation.becomeItsRoot()
        // Whoever becomes somebody else loses these.
        _ = cd_set_parent_death_signal(SIGKILL)
        _ = cd_set_dumpable(false)
    }

    /// An open directory of the host's would be a way out of the container.
    private static func dropDirectories() throws(SystemError) {
        for descriptor in Int32(0)...2 {
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            let null = try FileDescriptor.open("/dev/null", O_RDWR)
            try syscall("dup2") { dup2(null.rawValue, descriptor) }
        }
    }

    /// Whether the supervisor still waits at the other end; a parent in another PID namespace has no number here.
    private static func hasReader(_ report: Int32) -> Bool {
        var entry = pollfd(fd: report, events: 0, revents: 0)
        return poll(&entry, 1, 0) >= 0 && entry.revents & Int16(POLLERR) == 0
    }

    /// The root is the container's by now.
    private static func attach(_ entrance: borrowing Entrance) throws {
        guard !entrance.added.steps.isEmpty else { return }
        let root = Rootfs(adopting: try Directory.open("/"))
        try KernelMounter(root: root, interface: entrance.interface).carryOut(entrance.added, entrance.binds)
    }

    private static func take(_ hostname: String) throws {
        do { try Isolation.takeHostname(hostname) } catch {
            throw LaunchError.inside(
                "the session cannot have a host name of its own: \(error.reason) (\(error.call))",
                hint: "Leave --hostname out.", .failure)
        }
    }

    /// A user whose home is missing gets one, as `useradd -m` would make it, but empty.
    ///
    /// The guest says where it is, and this process is still root: a path through `/proc` must not lead elsewhere.
    private static func makeHome(_ plan: LaunchPlan) {
        guard let name = plan.home.lastComponent, name != "..", let root = try? openRoot(),
            case .some(.none) = try? root.status(plan.home),
            let parent = try? root.openOrMakeDirectory(plan.home.parent),
            (try? parent.makeDirectory(name, mode: 0o700)) != nil
        else { return }
        try? parent.setOwner(name, plan.privileges.user, plan.privileges.group)
    }

    /// The container's root; of this process too, by now.
    private static func openRoot() throws(SystemError) -> Rootfs {
        Rootfs(adopting: Directory(adopting: try FileDescriptor.open("/", cd_o_path | O_DIRECTORY)))
    }

    /// Enters the directory without ever following a magic link of `/proc`, which could lead out of the container.
    private static func enter(_ directory: LaunchPlan.WorkingDirectory) throws {
        let root = try openRoot()
        let path = GuestPath(directory.path)
        do {
            // Whoever may go there need not be allowed to list it.
            let place = try root.open(path, cd_o_path | O_DIRECTORY)
            try syscall("chdir") { fchdir(place.rawValue) }
            return
        } catch {
            try missing(directory, error)
        }
        guard case .made = directory else {
            try syscall("chdir", "/") { chdir("/") }
            return
        }
        let place = try root.openOrMakeDirectory(path)
        try syscall("chdir", directory.path.description) { fchdir(place.raw) }
    }

    /// Throws where nothing else will do.
    private static func missing(_ directory: LaunchPlan.WorkingDirectory, _ error: SystemError) throws {
        guard case .required(let path) = directory else { return }
        throw LaunchError.inside(
            "the working directory \(path) cannot be entered: \(error.reason)",
            hint: "Give a directory that exists in the container with --work-dir.", .failure)
    }

    // MARK: - Execution

    /// Only returns when it fails, with the reason.
    private static func execute(_ plan: LaunchPlan) -> ExecutionError {
        let environment = plan.environment.entries
        switch plan.command {
        case .shell(let shell):
            // A dash before its name makes any shell a login shell (login(1)).
            let name = RawString("-" + HostPath(shell.text).lastComponent)
            return Execution.replace([name], environment, search: nil, calling: shell)
        case .words(let words, let shell):
            let search = plan.environment["PATH"] ?? RawString(EnvironmentRules.path)
            let failure = Execution.replace(words, environment, search: search)
            // A bare word that is no program may be one of the shell's own.
            guard case .notFound = failure, let shell,
                words.first?.bytes.contains(UInt8(ascii: "/")) == false,
                shell.withCString({ access($0, X_OK) }) == 0
            else { return failure }
            return Execution.replace([shell, "-c", ShellWords.join(words)], environment, search: nil)
        }
    }
}
