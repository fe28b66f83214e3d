import CLI
import Platform
import Session
import Store

struct StopCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "stop", summary: "Ask a container to end, and make sure that it does", group: "Living in containers",
        description: [
            "Sends the command of each session the signal that the image asks to be stopped with (SIGTERM unless it says otherwise), and to shells SIGHUP. What still runs after --time seconds is ended by force. Given the number of a session, only that one is ended."
        ],
        operands: [Operand("CONTAINER|PID", .running, repeatable: true)],
        flags: [
            Flag(
                "time", short: "t", value: "SECONDS", help: "Wait this long before force is used (default 10)"
            )
        ],
        examples: [.init("chroot-distro stop web"), .init("chroot-distro stop --time 60 database")])

    private let words: [String]
    private let patience: Duration

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("CONTAINER|PID")
        patience = .seconds(try arguments.number("time", in: 0...86400) ?? 10)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.forEach(words) { word in try Self.stop(KillTarget(word, context), patience, context) }
    }

    static func stop(_ target: KillTarget, _ patience: Duration, _ context: borrowing Context) throws {
        let manifest = try? context.store().container(target.name).manifest()
        let signal = manifest?.settings.stopSignal.flatMap { Signal($0) } ?? Signal(15)
        let manner = Shutdown.Manner.asking(signal.number, patience: patience)
        let shutdown = Shutdown(target.name, in: context.layout)
        switch target {
        case .session(let pid, let name):
            guard try shutdown.end(session: pid, manner) else { throw SessionNotFound(pid: pid) }
            context.diagnostics.info("Ended session \(pid) in \(name)")
        case .container(let name):
            let stopped = try shutdown.run(manner)
            context.diagnostics.info(stopped ? "Stopped \(name)" : "\(name) is not running")
        }
    }
}
