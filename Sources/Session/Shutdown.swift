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
        /// The commands of the sessions get this signal, and the rest only what is left of the time.
        case asking(Int32, patience: Duration)
        case atOnce

        var grace: Duration {
            switch self {
            case .gently: .seconds(2)
            case .abruptly, .asking: .seconds(1)
            case .atOnce: .zero
            }
        }
    }

    /// Whether anything runs.
    package func isNeeded() throws -> Bool {
        let registry = SessionRegistry.read(name, in: layout)
        let sessions = registry?.openSessions().count ?? 0
        let holder = registry?.recordedHolder()
        return try sessions > 0 || !members(of: holder).isEmpty
    }

    /// The processes that are in the container, by their numbers here.
    package func processes() throws -> [pid_t] {
        let holder = SessionRegistry.read(name, in: layout)?.recordedHolder()
        return try members(of: holder).pids
    }

    /// The control group; `nil` without one.
    package var group: ControlGroup? { ContainerGroup.find(name, in: layout) }

    /// Refuses unless nothing runs.
    package func requireStopped() throws {
        let registry = SessionRegistry.read(name, in: layout)
        let sessions = registry?.openSessions().count ?? 0
        let holder = registry?.recordedHolder()
        guard sessions == 0, try members(of: holder).isEmpty else {
            throw StoreError.running(name, sessions: sessions)
        }
        // A holder that has seen the last session go is not running any more, only not gone yet.
        if let holder { try end(holder, patience: .seconds(2)) }
    }

    /// Ends everything; false when nothing ran.
    @discardableResult
    package func run(_ manner: Manner) throws -> Bool {
        let registry = try SessionRegistry.open(name, in: layout)
        let start = try startLock(registry)
        let record = registry.recordedHolder()
        let supervisors = supervisors(registry)
        let hadGuests = try ask(registry, manner)
        let manner = hadGuests == .stubborn ? .atOnce : manner
        let hadMembers = try end(manner) {
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
        return hadMembers || hadHolder || !supervisors.isEmpty
    }

    /// What became of the sessions' commands that were asked to end.
    private enum Answer { case ended, stubborn }

    private func ask(_ registry: borrowing SessionRegistry, _ manner: Manner) throws -> Answer {
        guard case .asking(let signal, let patience) = manner else { return .ended }
        let deadline = Deadline(after: patience)
        let sessions = registry.openSessions()
        let holder = registry.recordedHolder()?.pid
        let table = try ProcessTable()
        let guests = table.guests(of: sessions.map(\.supervisor), except: holder)
        let commands = HeldProcesses(Array(guests.values), isStill: table.isStill)
        commands.signal(signal)
        // Shells ignore SIGTERM.
        let shells = sessions.filter { $0.kind == .login }.compactMap { guests[$0.pid] }
        HeldProcesses(shells, isStill: table.isStill).signal(SIGHUP)
        commands.signal(SIGCONT)
        while commands.waitForAll(milliseconds: deadline.milliseconds) == false {
            if deadline.milliseconds == 0 { return .stubborn }
        }
        return .ended
    }

    /// Sends a signal to the commands of the sessions, or of the one with that number, or to what else runs.
    ///
    /// To how many.
    package func send(_ signal: Int32, to session: pid_t?) throws -> Int {
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
    package func end(session pid: pid_t) throws -> Bool {
        guard let registry = SessionRegistry.read(name, in: layout),
            let supervisor = supervisors(registry).first(where: { $0.pid == pid })
        else { return false }
        // The session that started the container is the holder's parent.
        let holder = registry.recordedHolder()?.pid
        try end(.abruptly) {
            let table = try ProcessTable()
            // When it has ended, its number may be another's.
            let below = supervisor.isAlive ? table.descendants(of: [pid]).filter { $0 != holder } : []
            return HeldProcesses(below, isStill: table.isStill)
        }
        end(supervisor)
        return true
    }

    /// The start lock.
    ///
    /// Whoever keeps it for long is stopped or hangs, and is ended by force.
    private func startLock(_ registry: borrowing SessionRegistry) throws -> FileLock {
        if let lock = try registry.startLock(within: .seconds(2)) { return lock }
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

    /// TERM for all; then HUP, since interactive shells ignore TERM; KILL for those that stay.
    ///
    /// False when there was nobody.
    @discardableResult
    private func end(
        _ manner: Manner, _ members: () throws -> HeldProcesses, force: () -> Void = {}
    ) throws -> Bool {
        let deadline = Deadline(after: manner.grace)
        let patience = Deadline(after: manner.grace + .seconds(10))
        var steps = [(Deadline(after: .zero), SIGTERM), (Deadline(after: manner.grace / 3), SIGHUP)][...]
        var wasAny = false
        while true {
            let held = try members()
            if held.isEmpty { return wasAny }
            wasAny = true
            let isOver = deadline.milliseconds == 0
            if isOver {
                force()
                held.signal(SIGKILL)
            } else if let (time, signal) = steps.first, time.milliseconds == 0 {
                held.signal(signal)
                held.signal(SIGCONT)
                steps.removeFirst()
            }
            held.waitForOne(milliseconds: isOver ? 100 : (steps.first?.0 ?? deadline).milliseconds)
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
