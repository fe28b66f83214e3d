import CLI
import Libc
import Platform
import Session
import Store

struct KillCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "kill", aliases: ["k"], summary: "Stop a container, or one session, at once",
        group: "Living in containers",
        description: [
            "Ends every process of the container: politely first, and by force after a second. Given the number of a session, as ps shows it, only what runs in that session is ended.",
            "With --signal nothing is ended but by that signal: it goes to the command of the session or, given a container, of each of its sessions.",
        ],
        operands: [Operand("CONTAINER|PID", .running, optional: true, repeatable: true)],
        flags: [
            Flag(
                "signal", short: "s", value: "SIGNAL",
                help: "Send this signal, by name or number, and no other"),
            Flag("all", short: "a", help: "Every container that runs"),
        ],
        examples: [
            .init("chroot-distro kill debian"), .init("chroot-distro kill 4711"),
            .init("chroot-distro kill --signal HUP web"),
        ])

    private let words: [String]
    private let isForAll: Bool
    private let signal: Signal?

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("CONTAINER|PID")
        isForAll = arguments.isSet("all")
        guard words.isEmpty == isForAll else {
            throw UsageError(
                isForAll ? "kill: --all stands for every container" : "kill: CONTAINER|PID is missing",
                hint: isForAll ? "Leave \(Quoted(words[0])) out." : "Name one, or use --all.", command: "kill"
            )
        }
        signal = try arguments.text("signal").map { text throws(UsageError) in
            guard let signal = Signal(text) else {
                throw arguments.invalid(
                    "signal", "\(Quoted(text)) is no signal", hint: "See them with: kill -l")
            }
            return signal
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        guard isForAll else {
            return context.forEach(words) { word in try act(on: KillTarget(word, context), context) }
        }
        return context.forEach(try context.known()) { name in
            guard try Shutdown(name, in: context.layout).isNeeded() else { return }
            // What has ended by itself meanwhile is as it was asked for.
            do { try act(on: .container(name), context) } catch is NotRunning {}
        }
    }

    private func act(on target: KillTarget, _ context: borrowing Context) throws {
        if let signal { try send(signal, to: target, context) } else { try end(target, context) }
    }

    private func end(_ target: KillTarget, _ context: borrowing Context) throws {
        switch target {
        case .session(let pid, let name):
            guard try Shutdown(name, in: context.layout).end(session: pid, .abruptly) else {
                throw SessionNotFound(pid: pid)
            }
            context.diagnostics.info("Ended session \(pid) in \(name)")
        case .container(let name):
            let stopped = try Shutdown(name, in: context.layout).run(.abruptly)
            context.diagnostics.info(stopped ? "Stopped \(name)" : "\(name) is not running")
        }
    }

    private func send(_ signal: Signal, to target: KillTarget, _ context: borrowing Context) throws {
        let shutdown = Shutdown(target.name, in: context.layout)
        let session: Int32? = if case .session(let pid, _) = target { pid } else { nil }
        guard try shutdown.send(signal.number, to: session) > 0 else { throw NotRunning(name: target.name) }
        context.diagnostics.info(
            "Sent \(signal) to \(session.map { "session \($0) in " } ?? "")\(target.name)")
    }
}
