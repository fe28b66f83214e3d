import CLI
import Libc
import Platform
import Session
import Store

struct LogsCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "logs", aliases: ["log"], summary: "Show what detached sessions have written",
        group: "Living in containers",
        description: [
            "Shows the output of a container's detached sessions, also of those that have ended. The log is kept beside the container's files, in two parts of at most 8 MiB (CD_LOG_SIZE) each, and goes with the container."
        ],
        operands: [Operand("CONTAINER", .container)],
        flags: [
            Flag("follow", short: "f", help: "Go on with what is written until no detached session is left"),
            Flag("lines", aliases: ["tail"], short: "n", value: "N", help: "Begin with the last N lines"),
        ],
        examples: [.init("chroot-distro logs web"), .init("chroot-distro logs -f -n 20 web")])

    private let name: ContainerName
    private let follows: Bool
    private let lines: Int?

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        follows = arguments.isSet("follow")
        lines = try arguments.number("lines", in: 0...Int.max)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        let container = try store.container(name)
        var reader = try OutputReader(in: container.directory.duplicate())
        var old: [UInt8] = []
        while case let bytes = try reader.read(), !bytes.isEmpty {
            if lines == nil { try Self.show(bytes) } else { old += bytes }
        }
        if let lines { try Self.show(OutputReader.lastLines(lines, of: old)) }
        guard follows else { return .success }
        while let session = detachedSession(context.layout), let handle = try session.supervisor.open() {
            while handle.isAlive {
                try Self.showAll(&reader)
                // What was written between the last look and this is told by the watcher too.
                reader.wait(or: [handle.pidfd])
            }
            try Self.showAll(&reader)
        }
        try Self.showAll(&reader)
        return .success
    }

    private func detachedSession(_ layout: StateLayout) -> SessionRecord? {
        SessionRegistry.read(name, in: layout)?.openSessions().last { $0.isDetached }
    }

    private static func showAll(_ reader: inout OutputReader) throws {
        while case let bytes = try reader.read(), !bytes.isEmpty { try show(bytes) }
    }

    private static func show(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
        try FileDescriptor.standardOutput(Array(bytes))
    }
}
