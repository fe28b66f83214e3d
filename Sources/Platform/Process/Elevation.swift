import CLinux
import Libc

/// Starting the program again as root, and being the one that was started.
package struct Elevation: Sendable {
    /// `--no-elevate` or `CHROOT_DISTRO_NO_ELEVATE`.
    package var isForbidden: Bool
    /// `--use-sudo` or `CHROOT_DISTRO_USE_SUDO`: on Termux, sudo before su.
    package var prefersSudo: Bool
    package let environment: Environment
    package let host: HostSystem

    /// The flags are those of the command line; the variables are looked at here.
    package init(noElevate: Bool, useSudo: Bool, environment: Environment, host: HostSystem) {
        isForbidden = noElevate || environment.isTruthy("CHROOT_DISTRO_NO_ELEVATE")
        prefersSudo = useSudo || environment.isTruthy("CHROOT_DISTRO_USE_SUDO")
        self.environment = environment
        self.host = host
    }

    /// Whether this process is anybody but root.
    package static var isNeeded: Bool { geteuid() != 0 }

    // MARK: - In the invoking process

    /// Runs the program with these arguments as root, waits for its end and returns its exit status.
    ///
    /// Only while there is one thread. INT and QUIT of the terminal are left to the program that runs as root;
    /// signals that a process sends are passed on.
    package func run(_ arguments: [RawString]) throws -> ExitStatus {
        guard !isForbidden else { throw ElevationError.forbidden }
        let program = try Self.ownPath(environment)
        // Written to when the other side shall end; it opens the reading end by way of /proc.
        let relay = try Pipe().writeEnd()
        let handoff = Handoff(
            arguments: arguments, workingDirectory: Self.workingDirectory(), environment: environment,
            relay: relay.rawValue, invokingUID: getuid())
        let file = try handoff.sealed()
        let place = ForeignDescriptor(pid: getpid(), number: file.rawValue)
        let target = ElevationPlan.Target(program: program, handoff: place.description)
        let plan = try plan(for: target)
        let command = Spawn(plan.program, plan.arguments, environment: environmentForTool(plan.tool))
        return try Self.supervise(command, relay: relay)
    }

    /// The tool to use and its arguments; finds out what is installed.
    package func plan(for target: ElevationPlan.Target) throws -> ElevationPlan {
        let search = ProgramSearch(environment)
        for tool in ElevationPlan.order(onTermux: host.termux != nil, prefersSudo: prefersSudo) {
            if tool == .su, let termux = host.termux {
                if let plan = try termuxPlan(termux, search, for: target) { return plan }
            } else if let program = search.find(tool.rawValue) {
                return ElevationPlan(tool, at: program, for: target)
            }
        }
        throw ElevationError.noTool(host)
    }

    private func termuxPlan(
        _ termux: Termux, _ search: ProgramSearch, for target: ElevationPlan.Target
    ) throws -> ElevationPlan? {
        let chosen = environment.nonEmpty("CD_SU_PATH").map { HostPath($0) }
        guard
            let program = chosen ?? SuFeatures.places.first(where: ProgramSearch.isProgram)
                ?? search.find("su")
        else { return nil }
        let probe = Spawn(program, ["--help"], environment: environmentForTool(.su))
        let help = try probe.capture(limit: 1 << 16, timeout: .seconds(10))
        let features = SuFeatures(help: help.output + help.errors)
        guard !features.isStub else {
            // A sudo may still be there, unless it was asked for and not found already.
            if !prefersSudo, search.find("sudo") != nil { return nil }
            throw ElevationError.stubbornSu
        }
        let preload = TermuxSession.preloads(of: termux).first { access($0.rawValue, R_OK) == 0 }
        var session = TermuxSession(termux, term: environment["TERM"], preload: preload)
        session.wantsMountMaster = environment.isTruthy("CD_SU_MOUNT_MASTER")
        session.isInteractive = isatty(0) == 1 && isatty(1) == 1
        session.shell = [termux.prefix / "bin/bash"].first(where: ProgramSearch.isProgram)
        mkdir(TermuxSession.rootHome(of: termux).rawValue, 0o700)
        return ElevationPlan(su: program, features: features, session: session, for: target)
    }

    /// The user's own variables, for the tool's prompts and agents, without what would lead it or us astray.
    private func environmentForTool(_ tool: ElevationPlan.Tool) -> Environment {
        // Stale answers of an outer tool: who is behind *this* step is for the tool to say.
        let stale: Set<RawString> = [
            "SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND", "DOAS_USER", "PKEXEC_UID",
        ]
        let loader: Set<RawString> = ["LD_PRELOAD", "LD_LIBRARY_PATH"]
        return environment.filter { !stale.contains($0) && !(tool == .su && loader.contains($0)) }
    }

    /// The program's own file, by the kernel's word and not by `PATH`.
    package static func ownPath(_ environment: Environment) throws -> RawString {
        let link = try Directory.open("/proc/self").readSymbolicLink("exe")
        // Android starts programs of apps through the linker; Termux leaves the real path in a variable.
        if link.text.hasSuffix("/linker64") || link.text.hasSuffix("/linker"),
            let path = environment["TERMUX_EXEC__PROC_SELF_EXE"], path.bytes.first == UInt8(ascii: "/")
        {
            return path
        }
        guard link.withCString({ access($0, X_OK) }) == 0 else { throw ElevationError.replacedProgram }
        return link
    }

    private static func workingDirectory() -> RawString {
        if let current = getcwd(nil, 0) {
            defer { free(current) }
            return RawString(cString: current)
        }
        // A removed directory; the other side will fail to enter it and say so.
        return (try? Directory.open("/proc/self").readSymbolicLink("cwd")) ?? ""
    }

    // MARK: - In the process that is root

    /// What the invoking process handed over, when the first argument says that there is one.
    ///
    /// To be called before anything else looks at the arguments.
    package static func receive(from arguments: [RawString], environment: Environment) throws -> Handoff? {
        let prefix = ElevationPlan.handoffPrefix.bytes
        guard let first = arguments.first, first.bytes.starts(with: prefix) else { return nil }
        guard !isNeeded else { throw ElevationError.loop }
        guard arguments.count == 1, let text = RawString(bytes: first.bytes.dropFirst(prefix.count)),
            let source = ForeignDescriptor(text)
        else { throw ElevationError.badHandoff("\(first) does not name one") }
        let handoff = try Handoff(from: source, declared: InvokingUser.declaredUID(environment))
        handoff.followInvoker(source)
        return handoff
    }
}

extension Elevation {
    /// Waits for the tool, and passes on what other processes tell this one.
    static func supervise(_ command: Spawn, relay: borrowing FileDescriptor) throws -> ExitStatus {
        SignalAction.standard.set(for: SIGCHLD)  // Ignored, it would have the kernel reap the child.
        SignalAction.ignore.set(for: SIGPIPE)
        // What was ignored from the start, as by nohup(1), stays so; blocked, it would be reported here.
        let heeded = [SIGTERM, SIGHUP, SIGINT, SIGQUIT].filter { !cd_signal_is_ignored($0) }
        let signals = try SignalReader([SIGCHLD] + heeded)
        let child = try command.start()
        while true {
            var entry = pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, -1)
            while let arrival = signals.next() {
                switch arrival.number {
                case SIGCHLD:
                    if let status = try Reaping.poll(child) { return status }
                case SIGINT where !arrival.isFromProcess, SIGQUIT where !arrival.isFromProcess:
                    continue  // The terminal has told the others too.
                default:
                    pass(arrival.number, to: child, relay: relay)
                }
            }
        }
    }

    /// Tells the program that is root to end, else the tool, else nobody: then this process ends by the signal.
    private static func pass(_ signal: Int32, to child: pid_t, relay: borrowing FileDescriptor) {
        if (try? relay.writeAll([UInt8(truncatingIfNeeded: signal)])) != nil { return }
        if kill(child, signal) == 0 { return }
        SignalAction.standard.set(for: signal)
        SignalSet([signal]).unblock()
        raise(signal)
    }
}
