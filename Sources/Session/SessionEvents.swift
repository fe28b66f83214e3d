import Libc
import Platform
import Store

/// What happened to sessions: a line of JSON for each start and each end, in `run/.events`, which
/// no container can be called.
package enum SessionEvents {
    package static let name: RawString = ".events"
    private static let limit: Int64 = 1 << 20

    /// Notes that a session has started.
    static func started(_ record: SessionRecord, _ container: ContainerName, in layout: StateLayout) {
        write(
            [
                ("command", JSONText.array(record.command.map(JSONText.string))),
                ("container", JSONText.string(container.description)),
                ("detached", record.isDetached ? "true" : "false"), ("event", "\"start\""),
                ("pid", "\(record.pid)"), ("time", JSONText.string(Timestamp.now.description)),
                ("type", JSONText.string(record.kind.rawValue)), ("user", JSONText.string(record.user)),
            ], in: layout)
    }

    /// Notes that a session of this process has ended; one whose supervisor was killed is not noted.
    static func ended(_ status: ExitStatus, _ container: ContainerName, in layout: StateLayout) {
        write(
            [
                ("container", JSONText.string(container.description)), ("event", "\"end\""),
                ("pid", "\(getpid())"), ("status", "\(status.code)"),
                ("time", JSONText.string(Timestamp.now.description)),
            ], in: layout)
    }

    private static func write(_ members: [(name: String, value: String)], in layout: StateLayout) {
        // Nobody's session fails because a line cannot be written.
        guard let run = try? Directory.open(layout.run),
            var log = try? OutputLog(in: run, name: name, mode: 0o644, limit: limit)
        else { return }
        log.write(Array((JSONText.object(members) + "\n").utf8)[...])
    }
}
