import CLI
import CLinux
import FoundationEssentials
import Libc
import Platform
import Session
import Store

struct EventsCommand: Command {
    static let spec = CommandSpec(
        "events", summary: "Show when sessions started and ended", group: "Living in containers",
        description: [
            "Shows what has happened since the machine started, as far as the record goes back, and with --follow what happens from now on. The end of a session whose supervisor was killed is noted when somebody notices, and has no status."
        ],
        flags: [
            Flag("follow", short: "f", help: "Go on with what happens until interrupted"),
            Flag("lines", short: "n", value: "N", help: "Begin with the last N events"),
            Flag("json", help: "Print a JSON object for each, one on a line"),
        ],
        examples: [.init("chroot-distro events -n 20"), .init("chroot-distro events --follow --json")])

    private let follows: Bool
    private let lines: Int?
    private let isJSON: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        follows = arguments.isSet("follow")
        lines = try arguments.number("lines", in: 0...Int.max)
        isJSON = arguments.isSet("json")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let run = context.systemLayout.run
        if follows, geteuid() == 0 { _ = try ContainerStore.makePath(run) }
        guard let directory = try? Directory.open(run) else { return .success }
        var open = settle(context)
        var reader = try OutputReader(in: directory, name: SessionEvents.name)
        var pending: [UInt8] = []
        while case let bytes = try reader.read(), !bytes.isEmpty { pending += bytes }
        if let lines { pending = Array(OutputReader.lastLines(lines, of: pending)) }
        try show(&pending)
        while follows {
            wait(reader, for: open)
            open = settle(context)
            while case let bytes = try reader.read(), !bytes.isEmpty { pending += bytes }
            try show(&pending)
        }
        return .success
    }

    /// Notes the ends of those who were killed; the supervisors of the open sessions, as far as one may look.
    private func settle(_ context: borrowing Context) -> [pid_t] {
        geteuid() == 0 ? SessionEvents.settle(in: context.systemLayout) : []
    }

    /// Waits for the next event; who is killed writes none, so the processes themselves are waited for, too.
    private func wait(_ reader: borrowing OutputReader, for open: [pid_t]) {
        var ends: [Int32] = []
        var hasEnded = false
        for pid in open {
            let descriptor = cd_pidfd_open(pid)
            hasEnded = hasEnded || descriptor < 0 && errno == ESRCH
            ends.append(descriptor)
        }
        if !hasEnded { reader.wait(or: ends) }
        for descriptor in ends where descriptor >= 0 { close(descriptor) }
    }

    /// Shows the whole lines and keeps the rest.
    private func show(_ pending: inout [UInt8]) throws {
        let newline = UInt8(ascii: "\n")
        guard let end = pending.lastIndex(of: newline) else { return }
        var text = ""
        for line in pending[..<end].split(separator: newline) {
            // A line that a full disk cut short says nothing.
            guard let event = try? JSONDecoder().decode(Event.self, from: Data(line)) else { continue }
            text += isJSON ? String(decoding: line, as: UTF8.self) + "\n" : event.text
        }
        pending.removeFirst(end + 1)
        try FileDescriptor.standardOutput(text)
    }

    private struct Event: Decodable {
        let container: String
        let event: String
        let pid: pid_t
        let time: String
        let type: String?
        let user: String?
        let status: Int32?
        let killed: Bool?
        let command: [String]?

        var text: String {
            let words = ShellWords.join((command ?? []).map { RawString($0) }).text
            let end = killed == true ? "as its supervisor was killed" : status.map { "with status \($0)" }
            let rest = end ?? "\(type ?? "") as \(user ?? ""): \(words)"
            return "\(Quoted(time)) \(Quoted(container)) \(Quoted(event)) \(pid) \(Quoted(rest))\n"
        }
    }
}
