import CLI
import Mounts
import Namespaces
import Platform
import Session
import Store

/// The options that `login` and `run` share.
struct SessionOptions {
    var request: LaunchRequest
    let printsCommand: Bool
    /// How the session goes on without its caller; `nil` when it does not.
    let detachment: Detachment?

    static let flags = [
        Flag(
            "detach", short: "d",
            help: "Let it go on in the background, its output in a log; print the number that kill takes"),
        Flag("tty", short: "t", help: "With --detach: give the command a terminal, to be used by attach"),
        Flag("user", short: "u", value: "USER", help: "Be this user: name, uid, name:group or uid:gid"),
        Flag(
            "bind", short: "b", value: "SRC[:DST[:OPTS]]", kind: .directory, repeatable: true,
            help: "Show a path of the host in the container; OPTS are words of mount(8) such as ro,nosuid"),
        Flag(
            "volume", short: "v", value: "SRC[:DST[:OPTS]]", kind: .directory, repeatable: true,
            help: "The same as --bind"),
        Flag("work-dir", short: "w", value: "PATH", help: "Start in this directory of the container"),
        Flag(
            "env", short: "e", value: "NAME=VALUE", repeatable: true, help: "Set a variable in the container"),
        Flag("shared-home", help: "Show your home directory as the user's home in the container"),
        Flag("shared-tmp", group: "tmp", help: "Share the host's /tmp (the default, except on Termux)"),
        Flag("no-shared-tmp", group: "tmp", help: "Keep the container's own /tmp"),
        Flag(
            "minimal", group: "mode",
            help:
                "Share neither /tmp nor devices of the host; pass on almost no variables, not even the image's"
        ),
        Flag(
            "isolated", aliases: ["isolate"], value: "strict", optionalValue: true, kind: .choice(["strict"]),
            group: "mode",
            help: "Keep the container in a boundary of its own; with =strict refuse when this machine cannot"),
        Flag("hostname", value: "NAME", help: "Give the session a host name of its own"),
        Flag("dns", value: "ADDRESS", repeatable: true, help: "Use this name server in the container"),
        Flag(
            "add-host", value: "NAME:ADDRESS", repeatable: true,
            help: "Add a line to the container's /etc/hosts"),
        Flag(
            "device", value: "PATH[:DST]", kind: .file, repeatable: true,
            help: "Give the container a device of the host, or all in a directory"),
        Flag(
            "tmpfs", value: "DST[:OPTS]", repeatable: true,
            help: "Mount an empty memory file system; OPTS are words such as size=64m,mode=755"),
        Flag(
            "rm",
            help: "Keep what is changed in memory; it vanishes when this session ends, and all else with it"),
        Flag("read-only", help: "Let nothing but memory file systems and binds be written to"),
        Flag(
            "cap-add", value: "CAPABILITY", repeatable: true,
            help: "Leave the guest this capability, or ALL; see capabilities(7)"),
        Flag(
            "cap-drop", value: "CAPABILITY", repeatable: true,
            help: "Take this capability, or ALL, from the guest"),
        Flag("privileged", help: "Leave the guest every capability and every system call"),
        Flag("no-new-privs", help: "Let no program in the session gain privileges, setuid ones included"),
        Flag("memory", value: "SIZE", help: "Let the container use at most this much memory, such as 512M"),
        Flag("cpus", value: "N", help: "Let the container use at most N processors, such as 1.5"),
        Flag("pids", value: "N", help: "Let the container have at most N processes and threads"),
        Flag("get-chroot-cmd", help: "Print what would be done as a shell command, and do nothing"),
    ]

    init(_ arguments: ParsedArguments, kind: SessionRecord.Kind) throws(UsageError) {
        var request = LaunchRequest(kind: kind)
        request.user = try arguments.text("user")
        request.workingDirectory = try arguments.text("work-dir")
        request.hostname = try arguments.text("hostname")
        request.environment = arguments.raws("env")
        request.arguments = arguments.trailing ?? []
        if arguments.isSet("minimal") { request.mode = .minimal }
        if arguments.isSet("isolated") { request.mode = .isolated }
        request.isStrict = arguments.raws("isolated").contains("strict")
        request.isReadOnly = arguments.isSet("read-only")
        request.isEphemeral = arguments.isSet("rm")
        request.isPrivileged = arguments.isSet("privileged")
        request.hasNoNewPrivileges = arguments.isSet("no-new-privs")
        request.sharesHome = arguments.isSet("shared-home")
        if arguments.isSet("shared-tmp") { request.sharesTemporary = true }
        if arguments.isSet("no-shared-tmp") { request.sharesTemporary = false }
        do { try Self.read(arguments, into: &request) } catch let error as any UserFacing {
            throw UsageError(error.message, hint: error.hint)
        } catch {
            throw UsageError("\(error)")
        }
        request.limits = try Self.limits(arguments)
        self.request = request
        printsCommand = arguments.isSet("get-chroot-cmd")
        detachment = arguments.isSet("detach") ? Detachment(arguments) : nil
    }

    /// The options whose values have a grammar of their own.
    private static func read(_ arguments: ParsedArguments, into request: inout LaunchRequest) throws {
        request.binds = try arguments.texts("bind").map { try BindSpec($0) }
        request.binds += try arguments.texts("volume").map { try BindSpec($0) }
        request.devices = try arguments.texts("device").map { try DeviceSpec($0) }
        request.memoryFileSystems = try arguments.texts("tmpfs").map { try MemoryFileSystem($0) }
        request.hosts = try arguments.texts("add-host").map { try HostEntry($0) }
        request.nameServers = try arguments.texts("dns")
        for text in request.nameServers where !InternetAddress.isLegal(text) {
            throw RequestError.nameServer(text)
        }
        for word in try arguments.texts("cap-add") {
            request.addedCapabilities = request.addedCapabilities.union(try CapabilitySet(word: word))
        }
        for word in try arguments.texts("cap-drop") {
            request.droppedCapabilities = request.droppedCapabilities.union(try CapabilitySet(word: word))
        }
    }

    private static func limits(_ arguments: ParsedArguments) throws(UsageError) -> ResourceLimits {
        var limits = ResourceLimits()
        if let text = try arguments.text("memory") {
            guard let size = ByteCount(text), size.bytes >= 1 << 20 else {
                throw arguments.invalid(
                    "memory", "\(Quoted(text)) is no size of 1M or more",
                    hint: "Use a size such as 512M or 2G.")
            }
            limits.memory = size.bytes
        }
        if let text = try arguments.text("cpus") {
            guard let number = Double(text), number >= 0.01, number <= 4096 else {
                throw arguments.invalid(
                    "cpus", "\(Quoted(text)) is no number from 0.01 to 4096",
                    hint: "Use a number such as 1.5.")
            }
            limits.processorTime = Int64((number * 100_000).rounded())
        }
        limits.processes = try arguments.number("pids", in: 1...4_194_304).map(Int64.init)
        return limits
    }

    /// Plans the session and carries it out, or prints the plan.
    func launch(_ name: ContainerName, in context: Context) throws -> ExitStatus {
        let store = try context.store()
        let lock = try store.lock(name, .shared, for: "login")
        guard let container = try store.containerIfInstalled(name) else {
            lock.release()
            return try join(name, store, context)
        }
        if Flushing.wasInterrupted(container) {
            context.diagnostics.warning(
                "the machine went down while \(name) was written to the disk, so files in it may be missing",
                hint: "Install it anew, or accept it as it is: delete the file unflushed beside its rootfs.")
        }
        return try launch(container, as: name, nil, store, holding: lock, context)
    }

    /// Starts an image that is not installed, under a name of the session's own.
    func launch(
        _ image: ImageRoot, as name: ContainerName, in roots: borrowing ImageRoots,
        holding lock: consuming FileLock, _ context: Context
    ) throws -> ExitStatus {
        try requireForeground()
        let container = try roots.store.container(image.name)
        return try launch(container, as: name, image, context.store(), holding: lock, context)
    }

    /// Refuses what a container needs that stays.
    func requireForeground() throws(ImageRunError) {
        if detachment != nil { throw .onlyInstalled("--detach") }
        if printsCommand { throw .onlyInstalled("--get-chroot-cmd") }
    }

    /// Enters an image that runs without being installed.
    private func join(
        _ name: ContainerName, _ store: borrowing ContainerStore, _ context: Context
    ) throws -> ExitStatus {
        guard let holder = SessionRegistry.read(name, in: context.layout)?.livingHolder(),
            let image = holder.image
        else { throw try store.notInstalled(name) }
        let roots = try ImageRoots.open(context.layout)
        let lock = try roots.beginStart()
        return try launch(
            ImageRoot(ContainerName(image), in: context.layout), as: name, in: roots, holding: lock, context)
    }

    private func launch(
        _ container: borrowing Container, as name: ContainerName, _ image: ImageRoot?,
        _ store: borrowing ContainerStore, holding lock: consuming FileLock, _ context: Context
    ) throws -> ExitStatus {
        let rootfs = try container.rootfs()
        var guest = try GuestFacts(
            of: container, rootfs, terminal: context.caller.environment.nonEmpty("TERM"))
        guest.name = name
        guest.running = LaunchPlan.Mode(running: name, in: context.layout)
        if !request.hosts.isEmpty { guest.hosts = (try? rootfs.readFile("/etc/hosts", limit: 1 << 20)) ?? [] }
        let host = context.hostFacts(sharingHome: request.sharesHome)
        func planned(joining: Bool) throws -> LaunchPlan {
            var guest = guest
            // Who joins has the ids of the running container.
            if !joining, request.wouldBeIsolated(in: context.caller.environment, running: guest.running) {
                guest.range = try store.range(of: container, recording: !printsCommand)
            }
            var plan = try LaunchPlanner.plan(request, host: host, guest: guest, isJoining: joining)
            plan.image = image
            return plan
        }
        let isJoining = guest.running != nil && !printsCommand
        let plan = try planned(joining: isJoining)
        if printsCommand {
            let path = context.layout.data / "containers" / name.description / "rootfs"
            try FileDescriptor.standardOutput(PlanPrinter.command(plan, rootfs: path) + "\n")
            return .success
        }
        // A shell listens nowhere.
        if request.kind == .run || detachment != nil {
            for clash in PortClash.all(guest.manifest.settings.exposedPorts, in: context) {
                context.diagnostics.warning(clash.message, hint: "See who listens with: chroot-distro ports")
            }
        }
        GuestFiles.refresh(in: rootfs, resolver: GuestFiles.hostResolverConfiguration())
        var launcher = RootfulLauncher(
            plan, layout: context.layout, interface: .best(), isAndroid: context.caller.host.termux != nil)
        func whole() throws -> LaunchPlan { isJoining ? try planned(joining: false) : plan }
        let diagnostics = context.diagnostics
        guard let detachment else {
            return try launcher.run(
                holding: lock, whole: whole, say: diagnostics.info, warn: { diagnostics.warning($0) })
        }
        return try detachment.launch(launcher, plan, whole: whole, container, holding: lock, context)
    }
}
