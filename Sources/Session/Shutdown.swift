import CLinux
import Libc
import Platform
import Store

/// Ending what runs in a container: its processes first, and with them its mounts.
package struct Shutdown {
    private let name: ContainerName
    private let layout: StateLayout

    package init(_ name: ContainerName, in layout: StateLayout) {
        self.name = name
        self.layout = layout
    }

    /// How long processes have to end by themselves.
    package enum Manner: Sendable {
        case gently, abruptly

        var grace: Duration { self == .gently ? .seconds(2) : .seconds(1) }
    }

    /// Refuses unless nothing runs.
    package func requireStopped() throws {
        guard let registry = SessionRegistry.read(name, in: layout) else { return }
        let sessions = registry.openSessions().count
        let holder = registry.recordedHolder()
        // A holder that has seen the last session go is not running any more, only not gone yet.
        if let holder, try members(of: holder).isEmpty, sessions == 0 {
            waitForEnd(of: holder)
            return
        }
        if sessions > 0 || holder?.identity.isAlive == true { throw StoreError.running(name, sessions: sessions) }
    }

    /// Ends everything; false when nothing ran.
    @discardableResult
    package func run(_ manner: Manner) throws -> Bool {
        guard let registry = SessionRegistry.read(name, in: layout) else { return false }
        let start = try registry.startLock()
        let record = registry.recordedHolder()
        guard let record, let holder = try record.identity.open() else {
            start.release()
            return false
        }
        try end(manner) { try members(of: record) }
        // The sessions of dead guests close by themselves; a supervisor that hangs is ended with its guest.
        for session in registry.openSessions() where session.pid != getpid() {
            guard let supervisor = try? ProcessIdentity(of: session.pid).open() else { continue }
            if !supervisor.wait(timeout: .seconds(1)) { try? supervisor.signal(SIGKILL) }
        }
        if !holder.wait(timeout: .milliseconds(500)) {
            try? holder.signal(SIGKILL)
            _ = holder.wait(timeout: .seconds(5))
        }
        try registry.clearHolder()
        start.release()
        return true
    }

    /// Ends what runs in one session; false when this container has no such session.
    package func end(session pid: pid_t) throws -> Bool {
        guard let registry = SessionRegistry.read(name, in: layout),
            registry.openSessions().contains(where: { $0.pid == pid })
        else { return false }
        try end(.abruptly) {
            let below = try Membership.descendants(of: [pid])
            return HeldProcesses(below) { ProcessStatus(of: $0) != nil }
        }
        return true
    }

    private func members(of holder: HolderRecord) throws -> HeldProcesses {
        // A namespace's number means nothing after a reboot.
        guard holder.bootID == Kernel.bootID() else { return HeldProcesses([]) { _ in false } }
        let proc = try Directory.open("/proc")
        let inside = try Membership.processes(
            in: proc, mountNamespace: holder.mountNamespace, except: holder.pid)
        let below = try Membership.descendants(of: inside).filter { !inside.contains($0) && $0 != holder.pid }
        return HeldProcesses(inside + below) { pid in
            below.contains(pid) || Membership.isMember(pid, of: holder.mountNamespace, in: proc)
        }
    }

    private func waitForEnd(of holder: HolderRecord) {
        guard let handle = try? holder.identity.open() else { return }
        _ = handle.wait(timeout: .seconds(2))
    }

    /// TERM for all; then HUP, since interactive shells ignore TERM; KILL for those that stay.
    private func end(_ manner: Manner, _ members: () throws -> HeldProcesses) throws {
        let deadline = Deadline(after: manner.grace)
        let patience = Deadline(after: manner.grace + .seconds(10))
        var steps = [(Deadline(after: .zero), SIGTERM), (Deadline(after: manner.grace / 3), SIGHUP)][...]
        while true {
            let held = try members()
            if held.isEmpty { return }
            let isOver = deadline.milliseconds == 0
            if isOver {
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
    package var hint: String? { "They wait inside the kernel, often for a network file system; try again later." }
}
