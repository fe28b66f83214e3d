import CLinux
import Libc
import Platform
import Store

/// Ending what runs in a container: its processes first, and with them its mounts.
///
/// It trusts no record alone: whatever has the container's root file system as its root is in it, so a lost or
/// damaged record leaves nothing running.
package struct Shutdown {
    private let name: ContainerName
    private let layout: StateLayout

    package init(_ name: ContainerName, in layout: StateLayout) {
        self.name = name
        self.layout = layout
    }

    /// How long processes have to end by themselves.
    package enum Manner: Sendable, Equatable {
        case gently, abruptly
        /// The commands of the sessions get this signal, and the rest is asked in what they leave of the time.
        case asking(Int32, patience: Duration)

        /// The time for those who are found once nobody else can come.
        var grace: Duration {
            switch self {
            case .gently: .seconds(2)
            case .abruptly, .asking: .seconds(1)
            }
        }
    }

    /// Whether anything runs.
    ///
    /// A holder that has seen the last session go is not running any more, only not gone yet.
    package func isNeeded() throws -> Bool {
        let registry = SessionRegistry.read(name, in: layout)
        let sessions = registry?.openSessions().count ?? 0
        let holder = registry?.recordedHolder()
        return try sessions > 0 || !members(of: holder).isEmpty
    }

    /// The holder that keeps a container without sessions running for what was left behind; `nil` without any of both.
    ///
    /// Only root may look at other users' processes: anybody else is told of every living holder.
    package func remainder() -> HolderRecord? {
        guard let holder = SessionRegistry.read(name, in: layout)?.livingHolder() else { return nil }
        guard geteuid() == 0, let members = try? members(of: holder) else { return holder }
        return members.isEmpty ? nil : holder
    }

    /// The processes that are in the container, by their numbers here.
    package func processes() throws -> [pid_t] {
        let holder = SessionRegistry.read(name, in: layout)?.recordedHolder()
        return try members(of: holder).pids
    }

    /// The control group; `nil` without one.
    package var group: ControlGroup? { ContainerGroup.find(name, in: layout) }

    /// Lets everything that runs stand still for a while; `nil` where that cannot be done with all of it.
    package func freeze() throws -> Freeze? {
        guard let group, let freeze = try Freeze.hold(group) else { return nil }
        // Who has got out of the group goes on.
        let free = Set(try processes()).subtracting(group.processes())
        if free.isEmpty { return freeze }
        return nil
    }

    /// Refuses unless nothing runs.
    package func requireStopped() throws {
        let registry = SessionRegistry.read(name, in: layout)
        let sessions = registry?.openSessions().count ?? 0
        let holder = registry?.recordedHolder()
        guard sessions == 0, try members(of: holder).isEmpty else {
            throw StoreError.running(name, sessions: sessions)
        }
        if let holder { try end(holder, patience: .seconds(2)) }
    }

    /// Ends everything; false when nothing ran.
    ///
    /// With a `holder`, only as long as the container is that holder's: by now it may be gone, and another started.
    @discardableResult
    package func run(_ manner: Manner, ifStill holder: ProcessIdentity? = nil) throws -> Bool {
        let descriptors = DescriptorLimit.raise()
        defer { descriptors.restore() }
        let registry = try SessionRegistry.open(name, in: layout)
        if let holder, registry.recordedHolder()?.identity != holder { return false }
        // A backup that was killed together with whoever watches over it.
        group?.freeze(false)
        // Nobody has to wait as long as this may take: not who wants in, nor who is less patient.
        let answer = try ask(manner, registry.openSessions(), except: registry.recordedHolder()?.pid) {
            try members(of: registry.recordedHolder())
        }
        guard let start = try startLock(registry, ifStill: holder) else { return false }
        let record = registry.recordedHolder()
        if let holder, record?.identity != holder { return false }
        let supervisors = supervisors(registry)
        let hadMembers = try end(within: answer.rest) {
            try members(of: record)
        } force: {
            // All at once, so that what forks faster than it can be counted ends too.
            _ = ContainerGroup.find(name, in: layout)?.kill()
        }
        for supervisor in supervisors { end(supervisor) }
        // The ends of those that had to be killed are noted here.
        _ = registry.openSessions()
        let hadHolder = try record.map { try end($0, patience: .milliseconds(500)) } ?? false
        // The holder does so itself, unless it was killed.
        ContainerGroup.find(name, in: layout)?.remove()
        try registry.clearHolder()
        registry.sweep()
        start.release()
        return answer.wasAny || hadMembers || hadHolder || !supervisors.isEmpty
    }

    /// What came of asking.
    private struct Answer {
        var wasAny = false
        /// How long those have who are still there.
        let rest: Duration
    }

    /// Asks the commands of sessions to end, and then whoever else is there, as far as there is time for it.
    private func ask(
        _ manner: Manner, _ sessions: [SessionRecord], except holder: pid_t?,
        _ members: () throws -> HeldProcesses
    ) throws -> Answer {
        guard case .asking(let signal, let patience) = manner else { return Answer(rest: manner.grace) }
        let deadline = Deadline(after: patience)
        try ask(sessions, except: holder, with: signal, until: deadline)
        let wasAny = try persuade(until: deadline, members) != .nobody || !sessions.isEmpty
        return Answer(wasAny: wasAny, rest: min(manner.grace, .milliseconds(deadline.milliseconds)))
    }

    private func ask(
        _ sessions: [SessionRecord], except holder: pid_t?, with signal: Int32, until deadline: Deadline
    ) throws {
        let table = try ProcessTable()
        let guests = table.guests(of: sessions.map(\.supervisor), except: holder)
        let commands = HeldProcesses(Array(guests.values), isStill: table.isStill)
        commands.signal(signal)
        // Shells ignore SIGTERM.
        let shells = sessions.filter { $0.kind == .login }.compactMap { guests[$0.pid] }
        HeldProcesses(shells, isStill: table.isStill).signal(SIGHUP)
        commands.signal(SIGCONT)
        while !commands.waitForAll(milliseconds: deadline.milliseconds), deadline.milliseconds > 0 {}
    }

    /// Sends a signal to the commands of the sessions, or of the one with that number, or to what else runs.
    ///
    /// To how many.
    package func send(_ signal: Int32, to session: pid_t?) throws -> Int {
        let descriptors = DescriptorLimit.raise()
        defer { descriptors.restore() }
        let registry = SessionRegistry.read(name, in: layout)
        let holder = registry?.recordedHolder()
        let sessions = (registry?.openSessions() ?? []).filter { session == nil || $0.pid == session }
        let table = try ProcessTable()
        let guests = table.guests(of: sessions.map(\.supervisor), except: holder?.pid)
        let held =
            guests.isEmpty && session == nil
            ? try members(of: holder) : HeldProcesses(Array(guests.values), isStill: table.isStill)
        held.signal(signal)
        return held.count
    }

    /// Ends what runs in one session; false when this container has no such session.
    package func end(session pid: pid_t, _ manner: Manner) throws -> Bool {
        let descriptors = DescriptorLimit.raise()
        defer { descriptors.restore() }
        guard let registry = SessionRegistry.read(name, in: layout),
            let session = registry.openSessions().first(where: { $0.pid == pid && pid != getpid() })
        else { return false }
        let supervisor = session.supervisor
        // The session that started the container is the holder's parent, and what others have left is the holder's.
        let holder = registry.recordedHolder()?.pid
        func below() throws -> HeldProcesses {
            let table = try ProcessTable()
            // When it has ended, its number may be another's.
            let pids = supervisor.isAlive ? table.descendants(of: [pid], except: holder) : []
            return HeldProcesses(pids, isStill: table.isStill)
        }
        let answer = try ask(manner, [session], except: holder, below)
        try end(within: answer.rest, below)
        end(supervisor)
        return true
    }

    /// The start lock; `nil` where another container has been started than that of the given holder.
    ///
    /// Whoever keeps it for long is stopped or hangs, and is ended by force.
    private func startLock(
        _ registry: borrowing SessionRegistry, ifStill holder: ProcessIdentity?
    ) throws -> FileLock? {
        if let lock = try registry.startLock(within: .seconds(2)) { return lock }
        if let holder, registry.recordedHolder()?.identity != holder { return nil }
        for supervisor in supervisors(registry) { try? supervisor.open()?.signal(SIGKILL) }
        if let holder = registry.recordedHolder() { try end(holder, patience: .zero) }
        if let lock = try registry.startLock(within: .seconds(5)) { return lock }
        throw StoreError.busy(name, holder: "")
    }

    // MARK: - Who it is

    /// The supervisors of the open sessions, named while they hold their locks: their numbers may be another's later.
    private func supervisors(_ registry: borrowing SessionRegistry) -> [ProcessIdentity] {
        registry.openSessions().filter { $0.pid != getpid() }.map(\.supervisor)
    }

    private func members(of holder: HolderRecord?) throws -> HeldProcesses {
        let proc = try Directory.open("/proc")
        // Before anything is asked of a process: what has its number and start time later is that very process.
        let table = try ProcessTable()
        let root = try? ContainerStore.rootfsDirectory(of: name, in: layout).status()
        let rooted =
            try root.map { (root) throws(SystemError) in
                try Membership.processes(in: proc, rootedAt: root)
            } ?? []
        var inside = Set(rooted)
        var own: pid_t = 0
        var place: Membership.Place?
        // A namespace's number means nothing after a reboot, nor when nobody known is in it any more.
        if let holder, holder.bootID == Kernel.bootID() {
            let isAlive = holder.identity.isAlive
            own = isAlive ? holder.pid : 0
            if isAlive
                || rooted.contains(where: { Membership.isMember($0, of: holder.place, in: proc) })
            {
                place = holder.place
                inside.formUnion(try Membership.processes(in: proc, of: holder.place, except: own))
            }
        }
        let group = ContainerGroup.find(name, in: layout)
        inside.formUnion(group?.processes() ?? [])
        inside.formUnion(table.descendants(of: inside))
        inside.subtract([own, getpid()])
        return HeldProcesses(inside.sorted()) { pid in
            if table.contains(pid) { return table.isStill(pid) }
            // It is younger than the table, so it is asked again now that it is held.
            return place.map { Membership.isMember(pid, of: $0, in: proc) } ?? false
                || root.map { Membership.isRooted(pid, at: $0, in: proc) } ?? false
                || group?.processes().contains(pid) ?? false
        }
    }

    // MARK: - Ending

    /// Waits for the holder, which ends by itself, and loses patience; false when it was gone already.
    @discardableResult
    private func end(_ holder: HolderRecord, patience: Duration) throws -> Bool {
        guard let handle = try holder.identity.open() else { return false }
        if !handle.wait(timeout: patience) {
            try? handle.signal(SIGKILL)
            _ = handle.wait(timeout: .seconds(5))
        }
        return true
    }

    /// A supervisor ends with its guest and gives the terminal back; one that hangs is ended by force.
    private func end(_ supervisor: ProcessIdentity) {
        guard let handle = try? supervisor.open() else { return }
        try? handle.signal(SIGCONT)
        if !handle.wait(timeout: .seconds(1)) { try? handle.signal(SIGKILL) }
    }

    /// What came of asking everybody.
    private enum Outcome { case nobody, ended, stubborn }

    /// TERM for all; then HUP, since interactive shells ignore TERM.
    private func persuade(
        until deadline: Deadline, _ members: () throws -> HeldProcesses
    ) throws -> Outcome {
        let third = Duration.milliseconds(deadline.milliseconds / 3)
        var steps = [(Deadline(after: .zero), SIGTERM), (Deadline(after: third), SIGHUP)][...]
        var wasAny = false
        while true {
            let held = try members()
            if held.isEmpty { return wasAny ? .ended : .nobody }
            if deadline.milliseconds == 0 { return .stubborn }
            wasAny = true
            if let (time, signal) = steps.first, time.milliseconds == 0 {
                held.signal(signal)
                held.signal(SIGCONT)
                steps.removeFirst()
            }
            held.waitForOne(milliseconds: (steps.first?.0 ?? deadline).milliseconds)
        }
    }

    /// Asks everybody, and when the time is over uses force; false when there was nobody.
    @discardableResult
    private func end(
        within grace: Duration, _ members: () throws -> HeldProcesses, force: () -> Void = {}
    ) throws -> Bool {
        let outcome = try persuade(until: Deadline(after: grace), members)
        guard outcome == .stubborn else { return outcome == .ended }
        let patience = Deadline(after: .seconds(10))
        while true {
            // Before all are held, which may take every descriptor there is.
            force()
            let held = try members()
            if held.isEmpty { return true }
            held.signal(SIGKILL)
            held.waitForOne(milliseconds: 100)
            if patience.milliseconds == 0 { throw Survivors(name: name, count: held.count) }
        }
    }
}

/// Processes that even SIGKILL does not end: they wait for a device or a file system.
package struct Survivors: UserFacing {
    let name: ContainerName
    let count: Int

    package var message: String { "\(count) process(es) of \(name) cannot be ended" }
    package var hint: String? {
        "They wait inside the kernel, often for a network file system; try again later."
    }
}
