import CLI
import Platform
import Session
import Store

struct KillCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "kill", aliases: ["k", "stop"], summary: "Stop a container, or one session, at once",
        group: "Living in containers",
        description: [
            "Ends every process of the container: politely first, and by force after a second. Given the number of a session, as ps shows it, only what runs in that session is ended."
        ],
        operands: [Operand("CONTAINER|PID", .running)],
        examples: [.init("chroot-distro kill debian"), .init("chroot-distro kill 4711")])

    private let word: String

    init(_ arguments: ParsedArguments) throws(UsageError) { word = try arguments.operand("CONTAINER|PID") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        if let name = try? ContainerName(word), try store.contains(name) {
            let stopped = try Shutdown(name, in: context.layout).run(.abruptly)
            context.diagnostics.info(stopped ? "Stopped \(name)" : "\(name) is not running")
            return .success
        }
        if let pid = Int32(word), pid > 0 {
            for name in try store.names() {
                if try Shutdown(name, in: context.layout).end(session: pid) {
                    context.diagnostics.info("Ended session \(pid) in \(name)")
                    return .success
                }
            }
            throw SessionNotFound(pid: pid)
        }
        do { throw try store.notInstalled(try ContainerName(word)) } catch let error as NameError {
            throw UsageError(error.message, hint: error.hint)
        }
    }
}

/// No session has that number.
struct SessionNotFound: UserFacing {
    let pid: Int32
    var message: String { "no session has the process number \(pid)" }
    var hint: String? { "See the sessions with: chroot-distro ps" }
}
