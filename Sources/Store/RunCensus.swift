import CLinux
import Libc
import Platform

/// What lies in the run folder, looked at without changing anything.
package struct RunCensus: Sendable {
    /// What is recorded of one container.
    package struct Entry: Sendable {
        package let name: ContainerName
        /// Sessions whose supervisor is gone without a farewell.
        package let deadSessions: [pid_t]
        /// Whether a holder is recorded that does not live, or its record is damaged.
        package let hasDeadHolder: Bool
        /// Whether a holder lives or a session is open.
        package let isAlive: Bool
    }

    package private(set) var entries: [Entry] = []

    /// Looks at every container of which something is recorded; needs the right to look at the locks.
    package static func take(_ layout: StateLayout) throws(SystemError) -> RunCensus {
        var census = RunCensus()
        guard access(layout.run.rawValue, F_OK) == 0 else { return census }
        let run = try Directory.open(layout.run)
        for item in try run.entries() {
            guard let name = try? ContainerName(item.name.text),
                let folder = try? run.openDirectory(item.name)
            else { continue }
            census.entries.append(look(at: folder, name, layout))
        }
        census.entries.sort { $0.name < $1.name }
        return census
    }

    private static func look(
        at folder: borrowing Directory, _ name: ContainerName, _ layout: StateLayout
    ) -> Entry {
        let locks = (try? folder.openFile("sessions.lock", O_RDONLY)) ?? FileDescriptor(adopting: -1)
        var dead: [pid_t] = []
        var open = 0
        for item in (try? folder.openDirectory("sessions").entries()) ?? [] {
            let text = item.name.text
            guard text.hasSuffix(".json"), let pid = pid_t(text.dropLast(5)), pid > 0 else { continue }
            let isLocked = locks.rawValue >= 0 && cd_ofd_is_locked(locks.rawValue, Int64(pid), 1) == 1
            if isLocked { open += 1 } else { dead.append(pid) }
        }
        let registry = SessionRegistry.read(name, in: layout)
        let lives = registry?.livingHolder() != nil
        let isRecorded = (try? folder.statusIfPresent("holder.json")) ?? nil != nil
        return Entry(
            name: name, deadSessions: dead.sorted(), hasDeadHolder: isRecorded && !lives && open == 0,
            isAlive: lives || open > 0)
    }

    /// Forgets what is dead; false when the container is in use at the moment and was left alone.
    package static func heal(_ name: ContainerName, in layout: StateLayout) throws -> Bool {
        let registry = try SessionRegistry.open(name, in: layout)
        guard let lock = try registry.startLock(within: .zero) else { return false }
        // Without the file of the locks nobody would be known to be dead.
        _ = try registry.holderLock()
        // This forgets the dead ones, too.
        let isIdle = registry.openSessions().isEmpty && registry.livingHolder() == nil
        if isIdle { try registry.clearHolder() }
        lock.release()
        return true
    }

    /// Removes what is recorded of a container that is not installed; false when something of it is alive, or when it
    /// has been installed or is in use by now.
    package static func erase(_ name: ContainerName, from store: borrowing ContainerStore) throws -> Bool {
        // Who has it alone meets nobody who is starting a session in it, and no installation of that name.
        guard let lock = try store.attempt(name, .exclusive), try !store.contains(name) else { return false }
        let isErased = try erase(name, in: store.layout)
        lock.release()
        return isErased
    }

    /// The same for a name that nobody else starts sessions under, and nobody installs.
    package static func erase(_ name: ContainerName, in layout: StateLayout) throws -> Bool {
        let registry = try SessionRegistry.open(name, in: layout)
        guard registry.openSessions().isEmpty, registry.livingHolder() == nil else { return false }
        try registry.erase(in: layout)
        return true
    }
}
