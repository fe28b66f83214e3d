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
    /// The caller has the start lock and is entered as a session, without which the holder would end at once.
    static func start(
        _ plan: LaunchPlan, layout: StateLayout, interface: MountInterface,
        registry: borrowing SessionRegistry,
        joiningInit: Bool
    ) throws -> HolderRecord {
        let lock = try registry.holderLock()
        let pipe = try Pipe()
        let group = try ControlGroup.make(ContainerGroup.name(of: plan.container, in: layout), plan.limits)
        let kept = group?.keep() ?? KeptControlGroup()
        let pid = try Fork.child {
            run(
                plan, layout: layout, interface: interface, lock: lock, group: kept,
                joiningInit: joiningInit, pipe.raw.writing)
        }
        let report = pipe.readEnd()
        do {
            try ChildReport.receive(from: report)
        } catch {
            _ = try? Reaping.wait(for: pid)
            group?.remove()
            throw error
        }
        let identity = try ProcessIdentity(of: pid)
        return HolderRecord(
            identity: identity, mountNamespace: try mountNamespace(of: pid), mode: plan.mode.rawValue,
            binds: plan.mounts.binds.map { HolderRecord.Bind($0) },
            limits: plan.limits.isEmpty ? nil : plan.limits)
    }

    /// The inode of a process's mount namespace.
    static func mountNamespace(of pid: pid_t) throws(SystemError) -> UInt64 {
        try FileDescriptor.open(HostPath("/proc/\(pid)/ns/mnt"), O_RDONLY).status().inode
    }

    // MARK: - In the child

    private static func run(
        _ plan: LaunchPlan, layout: StateLayout, interface: MountInterface, lock: borrowing HolderLock,
        group: borrowing KeptControlGroup, joiningInit: Bool, _ report: Int32
    ) -> ExitStatus {
        // Until it stands it is nothing without the one who starts it.
        _ = cd_set_parent_death_signal(SIGKILL)
        detach()
        let root: Root
        do {
            root = try build(plan, layout: layout, interface: interface, joiningInit: joiningInit)
        } catch {
            ChildReport.send(error, over: report)
            return .failure
        }
        becomeAnonymous(
            plan.container,
            keeping: [report, lock.file.rawValue, root.processes.raw] + group.descriptors)
        close(report)
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
        /// The inode of its mount namespace.
        let mountNamespace: UInt64
    }

    /// Builds the container's tree in a mount namespace of its own and makes its root the only one.
    private static func build(
        _ plan: LaunchPlan, layout: StateLayout, interface: MountInterface, joiningInit: Bool
    ) throws -> Root {
        // On Android `su` may have put us into a namespace that misses what init has mounted.
        if joiningInit { try Isolation.joinMountNamespace(at: "/proc/1/ns/mnt") }
        try Isolation.leave(.mount)
        try interface.enslaveEverything()
        // Descriptors from before belong to the old namespace's mounts, so the store is opened anew.
        let rootfs = try ContainerStore.rootfsDirectory(of: plan.container, in: layout)
        let binds = try OpenedBinds(plan.mounts, interface: interface)
        let root = try interface.mountOnItself(rootfs)
        let mounter = KernelMounter(root: Rootfs(adopting: try root.duplicate()), interface: interface)
        try mounter.carryOut(plan.mounts, binds)
        let processes = try Rootfs(adopting: try root.duplicate()).openDirectory("/proc")
        // An image whose /run or /dev is a link to /proc would have it covered by what is mounted there.
        guard cd_filesystem_type(processes.raw) == procMagic else {
            throw SystemError("open", "the container's /proc, which something else covers", code: ENOTDIR)
        }
        let namespace = try mountNamespace(of: getpid())
        try Isolation.enterRoot(root)
        return Root(processes: processes, mountNamespace: namespace)
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
        let pids = try Membership.processes(
            in: root.processes, mountNamespace: root.mountNamespace, except: getpid())
        let grouped = group.processes()
        return HeldProcesses(Array(Set(pids + grouped))) {
            Membership.isMember($0, of: root.mountNamespace, in: root.processes) || grouped.contains($0)
        }
    }
}
