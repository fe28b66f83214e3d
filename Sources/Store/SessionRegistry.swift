import CLinux
import Libc
import Platform

/// Who is in one container: `run/NAME/`.
///
/// A session is open exactly while its supervisor holds a lock on byte PID of `sessions.lock`, which the kernel
/// releases on any death (fcntl(2), open file description locks). The holder waits for a lock on all bytes: it gets
/// it when the last session is gone. Before it ends it writes a mark into the file, still under that lock, so that a
/// newcomer knows that this holder is not to be joined.
package struct SessionRegistry: ~Copyable {
    package let name: ContainerName
    private let layout: StateLayout
    private let directory: Directory
    private let sessions: Directory

    private static let locks: RawString = "sessions.lock"
    private static let holderFile: RawString = "holder.json"
    private static let endMark: [UInt8] = Array("ended\n".utf8)
    /// State files of ours are small; anything larger is not ours.
    private static let recordLimit = 1 << 20

    /// Opens what is known of a container, making the directories.
    package static func open(_ name: ContainerName, in layout: StateLayout) throws -> SessionRegistry {
        let run = try ContainerStore.openTrusted(layout.run)
        let directory = try run.openOrMakeDirectory(name.file, mode: 0o755)
        return SessionRegistry(
            name: name, layout, sessions: try directory.openOrMakeDirectory("sessions", mode: 0o755),
            directory)
    }

    /// Opens what is known of a container for reading; `nil` when nothing ever ran.
    package static func read(_ name: ContainerName, in layout: StateLayout) -> SessionRegistry? {
        guard let run = try? Directory.open(layout.run), let directory = try? run.openDirectory(name.file),
            let sessions = try? directory.openDirectory("sessions")
        else { return nil }
        return SessionRegistry(name: name, layout, sessions: sessions, directory)
    }

    /// The containers of which something is recorded, be they installed or not, running or not.
    package static func recorded(in layout: StateLayout) -> [ContainerName] {
        guard let run = try? Directory.open(layout.run), let entries = try? run.entries() else { return [] }
        return entries.compactMap { try? ContainerName($0.name.text) }
    }

    /// Whether a container runs, be it installed or not.
    package static func isRunning(_ name: ContainerName, in layout: StateLayout) -> Bool {
        guard let registry = read(name, in: layout) else { return false }
        return !registry.openSessions().isEmpty || registry.livingHolder() != nil
    }

    private init(
        name: ContainerName, _ layout: StateLayout, sessions: consuming Directory,
        _ directory: consuming Directory
    ) {
        self.name = name
        self.layout = layout
        self.sessions = sessions
        self.directory = directory
    }

    /// The directory that this and all other containers' are in, of one store for whatever path leads to it.
    package func store() throws(SystemError) -> FileStatus { try directory.status("..") }

    // MARK: - Entering

    /// Serialises starting, joining and ending: the holder's record only changes under it.
    package func startLock() throws(SystemError) -> FileLock {
        try FileLock(directory, "start.lock", .exclusive, wait: true)
    }

    /// The same, but only if it is free within that time.
    package func startLock(within patience: Duration) throws(SystemError) -> FileLock? {
        let deadline = Deadline(after: patience)
        while true {
            if let lock = try FileLock.attempt(directory, "start.lock", .exclusive) { return lock }
            if deadline.milliseconds == 0 { return nil }
            usleep(10_000)
        }
    }

    /// Enters this process as a session; it lasts as long as the returned value.
    ///
    /// While a holder is about to end this waits for it, which takes no longer than its last look around.
    package func enter(_ record: SessionRecord) throws -> SessionTicket {
        let lock = try directory.openFile(Self.locks, O_RDWR | O_CREAT, mode: 0o600)
        try syscall("fcntl", "sessions.lock") { cd_ofd_lock(lock.rawValue, 0x77, Int64(record.pid), 1, true) }
        let file = RawString("\(record.pid).json")
        do {
            try sessions.replaceFile(file, with: Array(record.json.utf8), durable: false, .failIfTaken)
        } catch {
            // A session of that number was killed and nobody has noticed; or this file system cannot tell.
            if error.code == EEXIST { SessionEvents.lost(record.pid, name, in: layout) }
            try sessions.replaceFile(file, with: Array(record.json.utf8), durable: false)
        }
        return SessionTicket(
            lock: lock, records: try sessions.duplicate(), file, door: Self.door(of: record.pid))
    }

    // MARK: - The holder

    /// The lock file as the holder keeps it.
    package func holderLock() throws -> HolderLock {
        HolderLock(file: try directory.openFile(Self.locks, O_RDWR | O_CREAT, mode: 0o600))
    }

    /// Records a holder that has just become ready; under the start lock.
    package func setHolder(_ record: HolderRecord) throws {
        try directory.replaceFile(Self.holderFile, with: Array(record.json.utf8), durable: false)
    }

    /// Forgets how the last holder ended; under the start lock, before a new one starts.
    package func clearHolder() throws {
        try? directory.removeFile(Self.holderFile)
        let lock = try directory.openFile(Self.locks, O_RDWR | O_CREAT, mode: 0o600)
        try lock.truncate(to: 0)
    }

    /// The holder as it was recorded, alive or not; `nil` also when the record is damaged.
    package func recordedHolder() -> HolderRecord? {
        guard let bytes = try? directory.readFile(Self.holderFile, limit: Self.recordLimit) else {
            return nil
        }
        return HolderRecord(json: bytes)
    }

    /// The holder of a container that runs: alive, and not about to end.
    package func livingHolder() -> HolderRecord? {
        guard let record = recordedHolder(), record.identity.isAlive, !holderIsEnding() else { return nil }
        return record
    }

    /// Whether the holder has declared that it ends.
    package func holderIsEnding() -> Bool {
        (try? directory.readFile(Self.locks, limit: 4096)) == Self.endMark
    }

    /// Removes what killed commands were writing; under the start lock.
    package func sweep() { try? directory.removeTemporaryFiles() }

    // MARK: - Doors

    private static func door(of session: pid_t) -> RawString { RawString("\(session).door") }

    /// Listens for those who want to attach to a session of this process.
    package func openDoor(_ session: pid_t) throws(SystemError) -> FileDescriptor {
        let name = Self.door(of: session)
        try? sessions.removeFile(name)
        return FileDescriptor(
            adopting: try syscall("bind", name.description) {
                name.withCString { cd_listen_at(sessions.raw, $0) }
            })
    }

    /// Knocks at the door of a session.
    package func connect(to session: pid_t) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try syscall("connect", "session \(session)") {
                Self.door(of: session).withCString { cd_connect_at(sessions.raw, $0) }
            })
    }

    // MARK: - Looking

    /// The open sessions, oldest first.
    ///
    /// The locks are for root alone: anybody else could hold some himself. Whoever may not look at them believes a
    /// record whose very process lives.
    package func openSessions() -> [SessionRecord] {
        guard let entries = try? sessions.entries() else { return [] }
        let locks = (try? directory.openFile(Self.locks, O_RDONLY)) ?? FileDescriptor(adopting: -1)
        return entries.compactMap { entry -> SessionRecord? in
            guard let pid = Self.pid(of: entry.name) else {
                if locks.rawValue >= 0 { sweep(entry.name, locks) }
                return nil
            }
            guard locks.rawValue >= 0 else {
                return record(entry.name, of: pid).flatMap { $0.isAlive ? $0 : nil }
            }
            guard cd_ofd_is_locked(locks.rawValue, Int64(pid), 1) == 1 else {
                // Its supervisor was killed.
                SessionEvents.lost(pid, name, in: layout)
                try? sessions.removeFile(entry.name)
                try? sessions.removeFile(Self.door(of: pid))
                return nil
            }
            return record(entry.name, of: pid) ?? SessionRecord(unknown: pid)
        }.sorted { ($0.started, $0.pid) < ($1.started, $1.pid) }
    }

    /// Removes the temporary file of a supervisor that was killed while it wrote its record.
    private func sweep(_ file: RawString, _ locks: borrowing FileDescriptor) {
        let parts = file.text.split(separator: "-")
        guard parts.count == 3, parts[0] == ".tmp", let pid = pid_t(parts[1]), pid > 0,
            cd_ofd_is_locked(locks.rawValue, Int64(pid), 1) == 0
        else { return }
        try? sessions.removeFile(file)
    }

    /// Whether a session other than `pid` is open.
    package func hasOtherSession(than pid: pid_t) -> Bool {
        guard let lock = try? directory.openFile(Self.locks, O_RDONLY), let entries = try? sessions.entries()
        else {
            return false
        }
        return entries.contains { entry in
            guard let other = Self.pid(of: entry.name), other != pid else { return false }
            return cd_ofd_is_locked(lock.rawValue, Int64(other), 1) == 1
        }
    }

    /// Changes with each session that enters or leaves.
    package func traffic() -> [Int] {
        guard let changed = try? sessions.status().changed else { return [] }
        return [changed.tv_sec, changed.tv_nsec]
    }

    private func record(_ file: RawString, of pid: pid_t) -> SessionRecord? {
        guard let bytes = try? sessions.readFile(file, limit: Self.recordLimit),
            let record = try? JSONDecoder().decode(SessionRecord.self, from: bytes), record.pid == pid
        else { return nil }
        return record
    }

    /// The process that a record's file name speaks of.
    private static func pid(of file: RawString) -> pid_t? {
        let text = file.text
        guard text.hasSuffix(".json"), let pid = pid_t(text.dropLast(5)), pid > 0, "\(pid).json" == text
        else {
            return nil
        }
        return pid
    }

    /// Removes all that is known of the container; only when nothing runs.
    package consuming func erase(in layout: StateLayout) throws {
        for entry in try sessions.entries() { try? sessions.removeFile(entry.name) }
        try? directory.removeDirectory("sessions")
        for entry in try directory.entries() { try? directory.removeFile(entry.name) }
        try Directory.open(layout.run).removeDirectory(name.file)
    }
}

/// An open session: when this value goes, or the process dies, the session is over.
package struct SessionTicket: ~Copyable {
    private let lock: FileDescriptor
    private let records: Directory
    private let file: RawString
    private let door: RawString

    init(
        lock: consuming FileDescriptor, records: consuming Directory, _ file: RawString, door: RawString
    ) {
        self.lock = lock
        self.records = records
        self.file = file
        self.door = door
    }

    deinit {
        try? records.removeFile(file)
        try? records.removeFile(door)
    }

    /// Ends the session.
    package consuming func leave() {}
}

/// The holder's end of the session locks.
package struct HolderLock: ~Copyable {
    package let file: FileDescriptor

    /// Blocks until no session is open; from then on none can enter until `release`.
    ///
    /// `rest` is called once when that takes longer than `quiet`, in milliseconds; never when that is negative.
    package func waitForLastSession(quiet: Int32, rest: () -> Void) throws(SystemError) {
        if quiet >= 0 {
            if cd_ofd_lock_within(file.rawValue, quiet) == 0 { return }
            rest()
        }
        try syscall("fcntl") { cd_ofd_lock(file.rawValue, 0x77, 0, 0, true) }
    }

    package func release() throws(SystemError) {
        try syscall("fcntl") { cd_ofd_lock(file.rawValue, 0x75, 0, 0, false) }
    }

    /// Declares that the holder ends; while it has the lock.
    package func markEnd() { _ = pwrite(file.rawValue, "ended\n", 6, 0) }
}
