import CLinux
import Libc
import Mounts
import Namespaces
import Platform
import Store

/// Carries a launch plan out as root: the holder, the session, and the guest's program in it.
package struct RootfulLauncher {
    private let plan: LaunchPlan
    private let layout: StateLayout
    private let interface: MountInterface
    private let isAndroid: Bool

    package init(_ plan: LaunchPlan, layout: StateLayout, interface: MountInterface, isAndroid: Bool) {
        self.plan = plan
        self.layout = layout
        self.interface = interface
        self.isAndroid = isAndroid
    }

    /// Runs the session to its end and returns the guest's status.
    ///
    /// `lock` keeps changes of the container away until the session is in the registry, where others see it; `say` gets
    /// the one line about processes that stay behind.
    package func run(holding lock: consuming FileLock, say: (String) -> Void) throws -> ExitStatus {
        try Threads.requireOne()
        let registry = try SessionRegistry.open(plan.container, in: layout)
        let start = try registry.startLock()
        let ticket = try registry.enter(
            SessionRecord(
                pid: getpid(), kind: plan.kind, user: plan.user, command: plan.shownCommand,
                started: Int64(time(nil))))
        let supervisor = try Supervisor()
        let container = try join(registry)
        let guest = try enter(container, supervisor)
        if !container.added.isEmpty {
            var record = container.record
            record.binds += container.added.map {
                .init(source: $0.source.rawValue, target: $0.target.absolute.text)
            }
            try registry.setHolder(record)
        }
        start.release()
        lock.release()
        let status = try supervisor.attend(guest)
        if !registry.hasOtherSession(than: getpid()) { sayWhatStays(container.record, say) }
        ticket.leave()
        return status
    }

    // MARK: - The container

    /// A running container that this session may enter.
    private struct Running: ~Copyable {
        let record: HolderRecord
        let holder: FileDescriptor
        /// Binds of this session that the container does not have yet.
        let added: [BindSpec]
    }

    /// Finds the container running, or starts it; under the start lock.
    private func join(_ registry: borrowing SessionRegistry) throws -> Running {
        // A holder that has declared its end has let go of the lock too, or this session were not entered: it is in its
        // last steps, in a mount namespace that is no longer anybody's business.
        if !registry.holderIsEnding(), let record = registry.recordedHolder(),
            let handle = try record.identity.open()
        {
            let added = try newBinds(record)
            return Running(record: record, holder: try pidfd(handle), added: added)
        }
        try registry.clearHolder()
        let record = try Holder.start(
            plan, layout: layout, interface: interface, registry: registry, joiningInit: isAndroid)
        guard let handle = try record.identity.open() else {
            throw LaunchError.inside("the container ended while it started", hint: "Try again.", .failure)
        }
        try registry.setHolder(record)
        return Running(record: record, holder: try pidfd(handle), added: [])
    }

    private func pidfd(_ handle: borrowing ProcessHandle) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try syscall("fcntl") { fcntl(handle.pidfd, F_DUPFD_CLOEXEC, 3) })
    }

    /// What this session asks for beyond what is mounted.
    private func newBinds(_ record: HolderRecord) throws -> [BindSpec] {
        guard record.mode == plan.mode.rawValue else {
            throw LaunchError.modeDiffers(plan.container, running: record.mode, asked: plan.mode.rawValue)
        }
        var added: [BindSpec] = []
        for bind in plan.binds {
            if let other = record.binds.first(where: { $0.target == bind.target.absolute.text }) {
                guard other.source == bind.source.rawValue else {
                    throw BindError.conflict(
                        target: bind.target, mounted: HostPath(other.source), asked: bind.source)
                }
            } else {
                guard interface == .descriptors else { throw LaunchError.cannotAddBind(plan.container, bind) }
                added.append(bind)
            }
        }
        return added
    }

    // MARK: - The guest

    private func enter(_ container: borrowing Running, _ supervisor: borrowing Supervisor) throws -> Supervisor.Guest {
        let pipe = try Pipe()
        let sockets = try SocketPair()
        let entrance = GuestProcess.Entrance(
            holder: try container.holder.duplicate(),
            binds: try PreparedBinds(container.added, interface: interface),
            terminal: supervisor.hasTerminal ? sockets.second.rawValue : nil, supervisor: getpid())
        let pid = try Fork.child { GuestProcess.run(plan, entrance, report: pipe.raw.writing) }
        let report = pipe.readEnd()
        let end = sockets.firstEnd()
        let terminal = supervisor.hasTerminal ? try? supervisor.adoptMaster(from: end) : nil
        do { try ChildReport.receive(from: report) } catch {
            _ = try? Reaping.wait(for: pid)
            throw error
        }
        return Supervisor.Guest(pid: pid, terminal: terminal)
    }

    /// Processes that outlive the last session keep the container running; whoever leaves should know.
    private func sayWhatStays(_ record: HolderRecord, _ say: (String) -> Void) {
        guard let proc = try? Directory.open("/proc"),
            let members = try? Membership.processes(
                in: proc, mountNamespace: record.mountNamespace, except: record.pid),
            !members.isEmpty
        else { return }
        let count = members.count == 1 ? "1 process still runs" : "\(members.count) processes still run"
        let them = members.count == 1 ? "it" : "them"
        say("\(count) in \(plan.container); stop \(them) with: chroot-distro kill \(plan.container)")
    }
}
