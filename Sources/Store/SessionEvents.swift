import FoundationEssentials
import Libc
import Platform

/// What happened to sessions: a line of JSON for each start and each end, in `run/events`.
///
/// A session notes its own end while it still has its lock. When it was killed, whoever finds its record without the
/// lock notes the end, unless the log has it already: so each start has one end, whoever dies in between.
package enum SessionEvents {
    package static let name: RawString = "events"
    private static let limit: Int64 = 1 << 20
    private static let lock: RawString = ".events.lock"

    /// Notes that a session has started.
    package static func started(_ record: SessionRecord, _ container: ContainerName, in layout: StateLayout) {
        write(
            [
                ("command", JSONText.array(record.command.map(JSONText.string))),
                ("container", JSONText.string(container.description)),
                ("detached", record.isDetached ? "true" : "false"), ("event", "\"start\""),
                ("pid", "\(record.pid)"), ("time", JSONText.string(Timestamp.now.description)),
                ("type", JSONText.string(record.kind.rawValue)), ("user", JSONText.string(record.user)),
            ], in: layout)
    }

    /// Notes that a session of this process has ended.
    package static func ended(_ status: ExitStatus, _ container: ContainerName, in layout: StateLayout) {
        write(
            [
                ("container", JSONText.string(container.description)), ("event", "\"end\""),
                ("pid", "\(getpid())"), ("status", "\(status.code)"),
                ("time", JSONText.string(Timestamp.now.description)),
            ], in: layout)
    }

    /// Notes the end of a session whose supervisor was killed, if the log has its start and not its end.
    ///
    /// Called before its record goes, so that it is called again when this is not finished.
    static func lost(_ pid: pid_t, _ container: ContainerName, in layout: StateLayout) {
        guard let run = try? Directory.open(layout.run),
            // Two who find it at once write one line.
            let lock = try? FileLock(run, lock, .exclusive, wait: true)
        else { return }
        if isOpen(pid, container, in: run) {
            write(
                [
                    ("container", JSONText.string(container.description)), ("event", "\"end\""),
                    ("killed", "true"), ("pid", "\(pid)"),
                    ("time", JSONText.string(Timestamp.now.description)),
                ], in: layout)
        }
        lock.release()
    }

    /// Notes what has not been noted of sessions that were killed; the supervisors of those that are open.
    package static func settle(in layout: StateLayout) -> [pid_t] {
        guard let run = try? Directory.open(layout.run), let entries = try? run.entries() else { return [] }
        return entries.compactMap { try? ContainerName($0.name.text) }.flatMap { name in
            SessionRegistry.read(name, in: layout)?.openSessions().map(\.pid) ?? []
        }
    }

    /// Whether the last that the log says of a session is that it has started.
    private static func isOpen(
        _ pid: pid_t, _ container: ContainerName, in run: borrowing Directory
    ) -> Bool {
        for file in [name, OutputLog.older(name)] {
            let bytes = (try? run.readFile(file, limit: Int(limit) + 65536)) ?? []
            for line in bytes.split(separator: UInt8(ascii: "\n")).reversed() {
                guard let event = try? JSONDecoder().decode(Line.self, from: Data(line)), event.pid == pid,
                    event.container == container.description
                else { continue }
                return event.event == "start"
            }
        }
        return false
    }

    private struct Line: Decodable {
        let container: String
        let event: String
        let pid: pid_t
    }

    private static func write(_ members: [(name: String, value: String)], in layout: StateLayout) {
        // Nobody's session fails because a line cannot be written.
        guard let run = try? Directory.open(layout.run),
            var log = try? OutputLog(in: run, name: name, mode: 0o644, limit: limit)
        else { return }
        log.write(Array((JSONText.object(members) + "\n").utf8)[...])
    }
}
