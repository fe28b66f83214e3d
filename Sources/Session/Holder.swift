import CLinux
import Libc
import Mounts
import Namespaces
import Platform
import Store

/// The process that keeps the namespaces of a running container.
///
/// It builds the tree of mounts, makes the container's root its own and then waits: for the last session, and after
/// that for the last process that was left behind. When it ends, the kernel takes the mounts away.
enum Holder {
    /// Forks the holder and waits until the container stands.
    ///
    /// The caller has the start lock and is entered as a session, without which the holder would end at once. With a
    /// PID namespace, the holder is the first process in it, and later children of the caller are in it too.
    static func start(
        _ plan: LaunchPlan, _ foundation: borrowing Foundation, registry: borrowing SessionRegistry
    ) throws -> HolderRecord {
        let lock = try registry.holderLock()
        let pipe = try Pipe()
        let group = try ControlGroup.make(
            ContainerGroup.name(of: plan.container, in: foundation.layout), plan.limits)
        let kept = group?.keep() ?? KeptControlGroup()
        let entry = group?.openEntry() ?? ControlGroupEntry()
        let hasProcesses = plan.namespaces.contains(.process)
        var stands = false
        defer {
            // Another try, with fewer namespaces, begins where this one did.
            if !stands, hasProcesses { try? Isolation.stayAmongProcesses() }
            if !stands { group?.remove() }
        }
        if hasProcesses { try Isolation.leave(.process) }
        let pid = try Fork.child {
            run(plan, foundation, lock: lock, group: kept, entry: entry, pipe.raw.writing)
        }
        let report = pipe.readEnd()
        do {
            try ChildReport.receive(from: report)
        } catch {
            _ = try? Reaping.wait(for: pid)
            throw error
        }
        stands = true
        var record = HolderRecord(
            identity: try ProcessIdentity(of: pid), mountNamespace: try namespace("mnt", of: "\(pid)"),
            mode: plan.mode.rawValue, binds: plan.recordedSteps.map { HolderRecord.Bind($0) },
            limits: plan.limits.isEmpty ? nil : plan.limits)
        if hasProcesses { record.processNamespace = try namespace("pid", of: "\(pid)") }
        if case .range(let range) = plan.boundary { record.firstID = range.start }
        record.isReadOnly = plan.isReadOnly ? true : nil
        record.isEphemeral = plan.isEphemeral ? true : nil
        return record
    }

    /// The inode of a process's namespace.
    static func namespace(_ kind: String, of process: String) throws(SystemError) -> UInt64 {
        try FileDescriptor.open(HostPath("/proc/\(process)/ns/\(kind)"), O_RDONLY).status().inode
    }

    /// What a holder is started on.
    struct Foundation: ~Copyable {
        let layout: StateLayout
        let interface: MountInterface
        /// Whether mounts shall be those of init rather than the caller's.
        let joinsInit: Bool
        /// The container's own users, open; -1 when it has the host's.
        let usersFile: FileDescriptor

        var users: Int32? { usersFile.rawValue < 0 ? nil : usersFile.rawValue }
    }

    // MARK: - In the child

    private static func run(
        _ plan: LaunchPlan, _ foundation: borrowing Foundation, lock: borrowing HolderLock,
        group: borrowing KeptControlGroup, entry: borrowing ControlGroupEntry, _ report: Int32
    ) -> ExitStatus {
        // Until it stands it is nothing without the one who starts it.
        _ = cd_set_parent_death_signal(SIGKILL)
        _ = cd_set_dumpable(false)
        detach()
        let isInit = plan.namespaces.contains(.process)
        let root: Root
        do {
            if isInit { try syscall("sigaction") { cd_become_init() } }
            root = try build(plan, foundation, entry)
        } catch {
            ChildReport.send(error, over: report)
            return .failure
        }
        becomeAnonymous(
            plan.container,
            keeping: [report, lock.file.rawValue, root.processes.raw] + group.descriptors)
        close(report)
        cd_shed_memory()
        do { try wait(lock, in: root, group) } catch { return .failure }
        return .success
    }

    /// Leaves the caller's terminal and its signals.
    private static func detach() {
        setsid()
        SignalAction.restoreDefaults()
        SignalAction.ignore.set(for: SIGPIPE)
        guard let null = try? FileDescriptor.open("/dev/null", O_RDWR) else { return }
        for descriptor in Int32(0)...2 { dup2(null.rawValue, descriptor) }
        umask(0o022)
    }

    /// The file system type of procfs (statfs(2)).
    private static let procMagic = 0x9fa0

    /// A container that stands.
    private struct Root: ~Copyable {
        /// Its `/proc`, held open since the guest may cover it.
        let processes: Directory
        /// Its namespaces; `nil` when all that its `/proc` shows is in it.
        let place: Membership.Place?
    }

    /// The container's files, or what lies over them.
    private static func rootDirectory(
        _ plan: LaunchPlan, _ foundation: borrowing Foundation
    ) throws -> Directory {
        let rootfs = try ContainerStore.rootfsDirectory(of: plan.container, in: foundation.layout)
        guard plan.isEphemeral else { return rootfs }
        guard foundation.users == nil else {
            throw LaunchError.inside(
                "--rm and --isolated exclude each other: overlayfs cannot show files as another user's",
                hint: "Leave one of the two out.", .failure)
        }
        return try MemoryOverlay.lay(over: rootfs, of: plan.container, in: foundation.layout)
    }

    /// Builds the container's tree in a mount namespace of its own and makes its root the only one.
    private static func build(
        _ plan: LaunchPlan, _ foundation: borrowing Foundation, _ entry: borrowing ControlGroupEntry
    ) throws -> Root {
        let interface = foundation.interface
        // On Android `su` may have put us into a namespace that misses what init has mounted.
        if foundation.joinsInit { try Isolation.joinMountNamespace(at: "/proc/1/ns/mnt") }
        let later: NamespaceSet = foundation.users == nil ? [] : plan.namespaces.subtracting(.process)
        let host = try Directory.open("/proc")
        try Isolation.leave(plan.namespaces.subtracting(later).subtracting(.process).union(.mount))
        try interface.enslaveEverything()
        // Descriptors from before belong to the old namespace's mounts, so the store is opened anew.
        let rootfs = try rootDirectory(plan, foundation)
        let binds = try OpenedBinds(plan.mounts, interface: interface)
        let root = try interface.mountOnItself(rootfs, users: foundation.users)
        try furnish(root, plan, binds, interface)
        if plan.isReadOnly { try interface.makeReadOnly(root) }
        try requireOwnProcesses(at: root)
        try Isolation.enterRoot(root)
        if let users = foundation.users { try settle(among: users, entry, in: later, host: host) }
        try finish(plan, interface)
        let processes = try Directory.open("/proc")
        let isWhole = plan.namespaces.contains(.process)
        let place = isWhole ? nil : Membership.Place(mount: try namespace("mnt", of: "self"), process: nil)
        return Root(processes: processes, place: place)
    }

    /// Carries the mount plan out; what is made belongs to the container's root.
    private static func furnish(
        _ root: borrowing Directory, _ plan: LaunchPlan, _ binds: borrowing OpenedBinds,
        _ interface: MountInterface
    ) throws {
        let mounter = KernelMounter(root: Rootfs(adopting: try root.duplicate()), interface: interface)
        guard case .range(let range) = plan.boundary else { return try mounter.carryOut(plan.mounts, binds) }
        try syscall("setfsuid") { cd_make_files_as(range.start, range.start) }
        try mounter.carryOut(plan.mounts, binds)
        try syscall("setfsuid") { cd_make_files_as(0, 0) }
    }

    /// An image whose /run or /dev is a link to /proc would have it covered by what is mounted there.
    private static func requireOwnProcesses(at root: borrowing Directory) throws {
        let processes = try Rootfs(adopting: try root.duplicate()).openDirectory("/proc")
        guard cd_filesystem_type(processes.raw) == procMagic else {
            throw SystemError("open", "the container's /proc, which something else covers", code: ENOTDIR)
        }
    }

    /// Moves into namespaces that belong to the container's users.
    ///
    /// The mounts that were made before belong to the host's users: in a copy of them for others, none can be taken
    /// away and none loses its read-only or other marks (mount_namespaces(7), "Restrictions"). A child makes the copy,
    /// out of the container's control group, which is then the first that the container knows of. The holder itself
    /// stays a user of the host's, to whom nobody inside can do anything.
    ///
    /// The control groups' namespace stays the host's users', and nobody inside may make one: whose namespace it is may
    /// mount and read every hierarchy, and those of version 1 begin at the host's root.
    private static func settle(
        among users: Int32, _ entry: borrowing ControlGroupEntry, in set: NamespaceSet,
        host: borrowing Directory
    ) throws {
        let ready = try Pipe()
        let done = try Pipe()
        let child = try Fork.child(into: entry) { _ in
            _ = cd_set_parent_death_signal(SIGKILL)
            close(ready.raw.reading)
            close(done.raw.writing)
            do {
                if set.contains(.cgroup) { try Isolation.leave(.cgroup) }
                try Isolation.join(users: users)
                try Isolation.becomeItsRoot()
                try Isolation.leave(set.subtracting(.cgroup))
                Isolation.forbidControlGroupNamespaces(proc: host)
            } catch {
                ChildReport.send(error, over: ready.raw.writing)
                return .failure
            }
            close(ready.raw.writing)
            var end: UInt8 = 0
            _ = read(done.raw.reading, &end, 1)
            return .success
        }
        try ChildReport.receive(from: ready.readEnd())
        let root = try Directory.open(HostPath("/proc/\(child)/root"))
        try Isolation.join(child, set)
        try Isolation.takeRoot(root)
        try done.writeEnd().close()
    }

    /// What is left to do from inside.
    private static func finish(_ plan: LaunchPlan, _ interface: MountInterface) throws {
        if plan.namespaces.contains(.hostname) { try Isolation.setHostname(plan.ownHostname) }
        guard plan.namespaces.contains(.ipc) else { return }
        let root = Rootfs(adopting: try Directory.open("/"))
        let mounter = KernelMounter(root: root, interface: interface)
        let queues = MountPlan([SystemMounts.messageQueues])
        let nothing = try OpenedBinds(queues, interface: interface)
        try unlessUnknown { () throws(MountFailure) in try mounter.carryOut(queues, nothing) }
    }

    /// Does without a file system that this kernel does not have.
    private static func unlessUnknown(_ body: () throws(MountFailure) -> Void) throws(MountFailure) {
        do { try body() } catch { guard error.cause.code == ENODEV else { throw error } }
    }

    /// Keeps nothing that belongs to whoever started the container: no descriptor, no variable, no command line.
    private static func becomeAnonymous(_ name: ContainerName, keeping descriptors: [Int32]) {
        _ = cd_set_parent_death_signal(0)
        OpenDescriptors.close(except: descriptors)
        cd_retitle(CommandLine.unsafeArgv, "chroot-distro: holder of \(name)")
        _ = cd_set_name("cd-holder")
        _ = cd_set_dumpable(false)
    }

    /// Returns when neither a session nor a process is left.
    private static func wait(
        _ lock: borrowing HolderLock, in root: borrowing Root, _ group: borrowing KeptControlGroup
    ) throws {
        while true {
            try lock.waitForLastSession()
            var members = try members(of: root, group)
            // A process that forks and ends during one look is missed by it, but not by two.
            if members.isEmpty { members = try self.members(of: root, group) }
            guard !members.isEmpty else {
                // Before the lock goes: whoever gets it next makes a group of that name.
                group.remove()
                lock.markEnd()
                return
            }
            // Sessions may enter again while what was left behind still runs.
            try lock.release()
            members.waitForOne()
        }
    }

    /// The processes that were left behind.
    private static func members(
        of root: borrowing Root, _ group: borrowing KeptControlGroup
    ) throws(SystemError) -> HeldProcesses {
        guard let place = root.place else {
            let pids = try Membership.everybody(in: root.processes, except: getpid())
            return HeldProcesses(pids) { Membership.isRunning($0, in: root.processes) }
        }
        let pids = try Membership.processes(in: root.processes, of: place, except: getpid())
        let grouped = group.processes()
        return HeldProcesses(Array(Set(pids + grouped))) {
            Membership.isMember($0, of: place, in: root.processes) || grouped.contains($0)
        }
    }
}
