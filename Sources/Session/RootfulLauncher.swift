import CLinux
import Libc
import Mounts
import Namespaces
import Platform
import Store

/// Carries a launch plan out as root: the holder, the session, and the guest's program in it.
package struct RootfulLauncher {
    private var plan: LaunchPlan
    private let layout: StateLayout
    private let interface: MountInterface
    private let isAndroid: Bool
    private var filter: SystemCallFilter?
    /// For a session that goes on in the background.
    package var console: DetachedConsole?

    package init(_ plan: LaunchPlan, layout: StateLayout, interface: MountInterface, isAndroid: Bool) {
        self.plan = plan
        self.layout = layout
        self.interface = interface
        self.isAndroid = isAndroid
    }

    /// Runs the session to its end and returns the guest's status.
    ///
    /// `lock` keeps changes of the container away until the session is in the registry, where others see it; `say` gets
    /// the one line about processes that stay behind. A plan for a running container is not enough where that has ended
    /// meanwhile: then `whole` is asked for another one.
    package mutating func run(
        holding lock: consuming FileLock, whole: () throws -> LaunchPlan, say: (String) -> Void,
        warn: (String) -> Void
    ) throws -> ExitStatus {
        try Threads.requireOne()
        let registry = try SessionRegistry.open(plan.container, in: layout)
        let start = try registry.startLock()
        let session = SessionRecord(
            try ProcessIdentity.current(), kind: plan.kind, user: plan.user, command: plan.shownCommand,
            started: Int64(time(nil)), isDetached: console != nil)
        let ticket = try registry.enter(session)
        try console?.openPipe()
        let supervisor = try Supervisor(console, isConfined: plan.mode == .isolated)
        let container = try join(registry, whole, warn)
        try prepareFilter(warn)
        let guest = try enter(container, supervisor, registry)
        start.release()
        lock.release()
        console?.announce(registry)
        SessionEvents.started(session, plan.container, in: layout)
        let traffic = registry.traffic()
        let status = try supervisor.attend(guest)
        SessionEvents.ended(status, plan.container, in: layout)
        // A session that has had the container for itself from beginning to end only has to look at its own children.
        // What is left in a PID namespace is a child of its first process, or will be.
        let isAlone = container.isFresh && traffic == registry.traffic()
        let holder = container.record.pid
        let mayLeave =
            container.record.processNamespace == nil
            ? !isAlone || Membership.hasChild(of: getpid(), other: holder) : Membership.hasChild(of: holder)
        if mayLeave, !plan.isEphemeral {
            sayWhatStays(container.record, registry, say)
        }
        ticket.leave()
        // Nobody else would tidy up after a holder that was killed.
        if !container.holderLives { Debris.sweep(plan.container, in: layout) }
        // Who has asked for the whole to vanish leaves nothing behind that would keep it.
        if plan.isEphemeral, container.isFresh {
            try Shutdown(plan.container, in: layout).run(.abruptly, ifStill: container.record.identity)
        }
        return status
    }

    // MARK: - The container

    /// A running container that this session may enter.
    private struct Running: ~Copyable {
        let record: HolderRecord
        let holder: ProcessHandle
        let namespace: FileDescriptor
        /// The root of its holder.
        let root: Directory
        /// What this session asks for and the container does not have yet.
        let added: [MountStep]
        /// Whether this session started it.
        let isFresh: Bool

        /// False when the holder has certainly ended.
        var holderLives: Bool { kill(record.pid, 0) == 0 || errno != ESRCH }
    }

    /// Finds the container running, or starts it; under the start lock.
    private mutating func join(
        _ registry: borrowing SessionRegistry, _ whole: () throws -> LaunchPlan, _ warn: (String) -> Void
    ) throws -> Running {
        // A holder that has declared its end has let go of the lock too, or this session were not entered: it is in its
        // last steps, in a mount namespace that is no longer anybody's business.
        if !registry.holderIsEnding(), var record = registry.recordedHolder(),
            let handle = try record.identity.open()
        {
            try settle(&record, registry)
            try adopt(record)
            try forgoMissingNamespaces { _ in }
            forgoImpossibleOwners(warn)
            let added = try newRequests(record)
            if record.processNamespace != nil { try Isolation.joinProcesses(of: handle) }
            return try running(record, handle, added: added, isFresh: false)
        }
        try registry.clearHolder()
        plan = try whole()
        try forgoMissingNamespaces(warn)
        let users = try raiseBoundary(warn)
        forgoImpossibleOwners(warn)
        let foundation = Holder.Foundation(
            layout: layout, interface: interface, joinsInit: isAndroid, usersFile: users)
        let record = try startHolder(foundation, registry, warn)
        guard let handle = try record.identity.open() else {
            throw LaunchError.inside("the container ended while it started", hint: "Try again.", .failure)
        }
        try registry.setHolder(record)
        return try running(record, handle, added: [], isFresh: true)
    }

    /// The holder's mount namespace and root.
    ///
    /// They are opened by number, so the holder must still live afterwards.
    private func running(
        _ record: HolderRecord, _ handle: consuming ProcessHandle, added: [MountStep], isFresh: Bool
    ) throws(SystemError) -> Running {
        let namespace = try FileDescriptor.open(HostPath("/proc/\(record.pid)/ns/mnt"), O_RDONLY)
        let root = try Directory.open(HostPath("/proc/\(record.pid)/root"))
        guard handle.isAlive, try namespace.status().inode == record.mountNamespace else {
            throw SystemError("open", "the container's holder", code: ESRCH)
        }
        return Running(
            record: record, holder: handle, namespace: namespace, root: root, added: added, isFresh: isFresh)
    }

    // MARK: - The boundary

    /// Some kernels, those of phones above all, are built without one namespace or another.
    private mutating func forgoMissingNamespaces(_ warn: (String) -> Void) throws {
        plan.missing = Isolation.unknown(of: plan.mode.namespaces)
        guard !plan.missing.isEmpty else { return }
        let refusal = Refusal(container: plan.container, step: MissingNamespaces(kinds: plan.missing))
        if plan.isStrict { throw refusal }
        warn(
            "\(plan.container) shares something with the host: \(MissingNamespaces(kinds: plan.missing).message)"
        )
    }

    /// Others know them and refuse them all the same: by a limit of /proc/sys/user, or because somebody filters us.
    ///
    /// That costs a try of each to find out, and so is only found out when something has failed.
    private mutating func startHolder(
        _ foundation: borrowing Holder.Foundation, _ registry: borrowing SessionRegistry,
        _ warn: (String) -> Void
    ) throws -> HolderRecord {
        do { return try Holder.start(plan, foundation, registry: registry) } catch {
            let refused = Isolation.refused(of: plan.namespaces.subtracting(.mount))
            if refused.isEmpty { throw error }
            let missing = RefusedNamespaces(refused: refused)
            if plan.isStrict { throw Refusal(container: plan.container, step: missing) }
            warn("\(plan.container) shares something with the host: \(missing.message)")
            plan.missing.formUnion(missing.kinds)
        }
        return try Holder.start(plan, foundation, registry: registry)
    }

    /// The filter of the plan; without libseccomp, or without filters in the kernel, there is none.
    private mutating func prepareFilter(_ warn: (String) -> Void) throws {
        guard plan.isFiltered else { return }
        let lack: MissingFilter
        do {
            let made = try SystemCallFilter(keptIn: ContainerStore.openTrusted(layout.run))
            if SystemCallFilter.isPossible { return filter = made }
            lack = MissingFilter(container: plan.container, isForKernel: true)
        } catch {
            guard let missing = error as? SystemError, missing.code == ENOSYS else { throw error }
            lack = MissingFilter(container: plan.container, isForKernel: false)
        }
        if plan.isStrict { throw lack }
        warn(lack.message)
    }

    /// The container's own users, when the plan has them and this kernel can; else -1, and a plan without them.
    private mutating func raiseBoundary(_ warn: (String) -> Void) throws -> FileDescriptor {
        guard case .range(let range) = plan.boundary else { return FileDescriptor(adopting: -1) }
        do {
            let users = try UserNamespace.make(range)
            let rootfs = try plan.openFiles(in: layout)
            try interface.requireMapping(of: rootfs, users: users.rawValue)
            plan.mounts = plan.mounts.shifted(by: range)
            return users
        } catch {
            let refusal = Refusal(container: plan.container, step: error)
            if plan.isStrict { throw refusal }
            try OwnProgram.requireGuarded(for: plan.container)
            warn(refusal.consequence)
            plan.boundary = .capabilities(plan.confined)
            plan.privileges.capabilities = plan.confined
            return FileDescriptor(adopting: -1)
        }
    }

    /// Takes over what the running container is; what this session asks for has to agree with it.
    private mutating func adopt(_ record: HolderRecord) throws {
        let limits = record.limits ?? ResourceLimits()
        guard plan.limits.isEmpty || plan.limits == limits else {
            throw LaunchError.limitsDiffer(plan.container, running: limits, asked: plan.limits)
        }
        guard record.mode == plan.mode.rawValue else {
            throw LaunchError.modeDiffers(plan.container, running: record.mode, asked: plan.mode.rawValue)
        }
        guard plan.mode == .isolated else { return }
        if let first = record.firstID {
            guard let range = IDRange(start: first, count: IDRange.systemSize) else {
                throw LaunchError.inside(
                    "the record of the running container is damaged", hint: nil, .failure)
            }
            plan.boundary = .range(range)
        } else {
            if plan.isStrict { throw LaunchError.isWeak(plan.container) }
            try OwnProgram.requireSame(as: record, for: plan.container)
            plan.boundary = .capabilities(plan.confined)
            plan.privileges.capabilities = plan.confined
        }
    }

    /// Old kernels and some file systems cannot show files as another's.
    private mutating func forgoImpossibleOwners(_ warn: (String) -> Void) {
        for bind in plan.binds {
            guard let owners = bind.options.owners else { continue }
            if owners.isExclusive, owners.hostGroup == nil {
                warn("\(bind.source) is of the group root here: the container can read it, but not change it")
            }
            do { _ = try interface.open(bind) } catch {
                guard (try? interface.open(bind.withPlainOwners)) != nil else { continue }
                warn(
                    "\(bind.source) is shared with its own owner: its files cannot be shown as another user's here"
                )
                return plan.forgoOwners()
            }
        }
    }

    /// What a session that was killed had begun to add is the container's where it is in place, and else forgotten.
    private func settle(_ record: inout HolderRecord, _ registry: borrowing SessionRegistry) throws {
        guard let pending = record.pending else { return }
        let root = Rootfs(adopting: try Directory.open(HostPath("/proc/\(record.pid)/root")))
        for entry in pending {
            guard let found = (try? root.status(GuestPath(entry.bind.target))) ?? nil,
                entry.isInPlace(found), !record.binds.contains(entry.bind)
            else { continue }
            record.binds.append(entry.bind)
        }
        record.pending = nil
        try registry.setHolder(record)
    }

    /// What this session asks for beyond what is mounted.
    private func newRequests(_ record: HolderRecord) throws -> [MountStep] {
        let name = plan.container
        if plan.keepsTemporary, record.binds.contains(where: { $0.target == "/tmp" }) {
            throw LaunchError.sharesTemporary(name)
        }
        if plan.isReadOnly, record.isReadOnly != true { throw LaunchError.notReadOnly(name) }
        if plan.isEphemeral, record.isEphemeral != true { throw LaunchError.notEphemeral(name) }
        var added: [MountStep] = []
        for request in plan.requests {
            let asked = HolderRecord.Bind(request)
            guard let other = record.binds.first(where: { $0.target == asked.target }) else {
                if let reason = whyNothingIsAdded(record) {
                    throw LaunchError.cannotAdd(name, request.target, reason: reason)
                }
                added.append(request)
                continue
            }
            guard case .bind(let bind, _) = request else {
                guard other == asked else {
                    throw LaunchError.otherInPlace(
                        name, request.target, mounted: other.source, asked: asked.source)
                }
                continue
            }
            guard other.source == asked.source else {
                throw BindError.conflict(
                    target: bind.target, mounted: HostPath(other.source), asked: bind.source)
            }
            try bind.requireSame(options: other.options)
        }
        return added
    }

    private func whyNothingIsAdded(_ record: HolderRecord) -> String? {
        if record.mode == LaunchPlan.Mode.isolated.rawValue {
            return "what comes after the start of an isolated container would not be sealed"
        }
        return interface == .descriptors ? nil : "this kernel is too old for that"
    }

    // MARK: - The guest

    private func enter(
        _ container: borrowing Running, _ supervisor: borrowing Supervisor,
        _ registry: borrowing SessionRegistry
    ) throws -> Supervisor.Guest {
        let binds = try OpenedBinds(MountPlan(container.added), interface: interface)
        if !container.added.isEmpty { try announce(container, binds, registry) }
        let outcome = Result { try start(container, supervisor, registry, binds) }
        if case .failure = outcome, !container.added.isEmpty {
            try takeBack(binds, container)
            try registry.setHolder(container.record)
        }
        let (pid, terminal) = try outcome.get()
        if !container.added.isEmpty {
            var record = container.record
            record.binds += container.added.map { HolderRecord.Bind($0) }
            try registry.setHolder(record)
        }
        return Supervisor.Guest(pid: pid, terminal: terminal < 0 ? nil : FileDescriptor(adopting: terminal))
    }

    /// The guest's process and the master of its terminal, -1 without one; the caller owns both.
    private func start(
        _ container: borrowing Running, _ supervisor: borrowing Supervisor,
        _ registry: borrowing SessionRegistry, _ binds: borrowing OpenedBinds
    ) throws -> (pid: pid_t, terminal: Int32) {
        let record = container.record
        let users =
            record.firstID == nil
            ? FileDescriptor(adopting: -1) : try Isolation.users(of: container.namespace)
        let root = Rootfs(adopting: try container.root.duplicate())
        let preparation = GuestPreparation(plan: plan, added: container.added, interface: interface)
        try preparation.carryOut(in: root, of: container.namespace, users: users.rawValue, binds)
        let directory = try preparation.openWorkingDirectory(in: root)
        let terminal =
            supervisor.terminal.isOwn ? try GuestTerminal.open(in: root, owner: plan.terminalOwner) : .none
        if supervisor.terminal.isOwn { supervisor.equip(terminal.master) }
        let entrance = GuestProcess.Entrance(
            plan: plan, holder: container.holder.pidfd, holderNumber: record.pid,
            others: plan.namespaces.subtracting([.mount, .process]), namespace: container.namespace.rawValue,
            root: container.root.raw, users: users.rawValue, isLimited: record.limits != nil,
            group: try group(record, registry), filter: filter, terminal: supervisor.terminal,
            ownTerminal: terminal.guest.rawValue, ignored: supervisor.ignoredByGuest, console: console,
            directory: directory.rawValue)
        let pid = try GuestProcess.start(entrance)
        return (pid, terminal.takeMaster())
    }

    /// Records what is about to be added, so that it is not there unknown when this process is killed meanwhile.
    ///
    /// What is no bind is the session's own wish alone: who asks for it later gets another one on top of it.
    private func announce(
        _ container: borrowing Running, _ binds: borrowing OpenedBinds, _ registry: borrowing SessionRegistry
    ) throws {
        var record = container.record
        record.pending = container.added.compactMap { step in
            guard case .bind(let spec, _) = step, let source = binds.source(of: spec) else { return nil }
            return HolderRecord.PendingBind(HolderRecord.Bind(step), of: source)
        }
        try registry.setHolder(record)
    }

    /// What a guest has bound that then could not start is of no session, and is not recorded.
    private func takeBack(_ binds: borrowing OpenedBinds, _ container: borrowing Running) throws {
        let child = try Fork.child {
            do {
                let descriptors = try Directory.open("/proc/self/fd")
                try Isolation.join(container.namespace, .mount)
                try binds.detach(naming: descriptors)
                return .success
            } catch { return .failure }
        }
        _ = try Reaping.wait(for: child)
    }

    private func group(
        _ record: HolderRecord, _ registry: borrowing SessionRegistry
    ) throws(SystemError) -> ControlGroupEntry {
        let name = try ContainerGroup.name(in: registry)
        return ControlGroup.existing(name, limits: record.limits ?? ResourceLimits())?.openEntry()
            ?? ControlGroupEntry()
    }

    /// Processes that outlive the last session keep the container running; whoever leaves should know.
    private func sayWhatStays(
        _ record: HolderRecord, _ registry: borrowing SessionRegistry, _ say: (String) -> Void
    ) {
        guard !registry.hasOtherSession(than: getpid()), let proc = try? Directory.open("/proc"),
            let found = try? Membership.processes(in: proc, of: record.place, except: record.pid)
                + (ContainerGroup.find(plan.container, in: layout)?.processes() ?? []),
            // A session that has entered meanwhile has processes of its own, and may have left with them by now.
            !found.isEmpty, !registry.hasOtherSession(than: getpid())
        else { return }
        let left = Set(found).filter { ProcessStatus(of: $0)?.hasEnded == false }.count
        guard left > 0 else { return }
        let count = left == 1 ? "1 process still runs" : "\(left) processes still run"
        let them = left == 1 ? "it" : "them"
        say("\(count) in \(plan.container); stop \(them) with: chroot-distro kill \(plan.container)")
    }
}

extension HolderRecord.Bind {
    /// A request as it is recorded, so that a later one for the same place can be told from it.
    init(_ step: MountStep) {
        let target = step.target.absolute.text
        switch step {
        case .bind(let spec, _):
            self.init(source: spec.source.rawValue, target: target, options: spec.options.description)
        case .fileSystem(let type, _, let parameters, let attributes):
            let words = MountOption.words(parameters, attributes).joined(separator: ",")
            self.init(source: type, target: target, options: words)
        case .node(_, let node):
            self.init(source: "device \(node.major):\(node.minor)", target: target, options: "")
        case .file(let file): self.init(source: file.label, target: target, options: "")
        case .directory, .link, .mask, .seal: self.init(source: "directory", target: target, options: "")
        }
    }
}
