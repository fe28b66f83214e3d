import CLI
import Platform
import Session
import Store

struct ExecCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "exec", summary: "Run a command in a running container", group: "Living in containers",
        description: [
            "Like login, but only where something runs already, and never with a login shell."
        ],
        operands: [Operand("CONTAINER", .running)],
        trailing: TrailingWords("COMMAND", allowsBareWords: true), flags: SessionOptions.flags,
        examples: [.init("chroot-distro exec web -- nginx -s reload")])

    private let name: ContainerName
    private let options: SessionOptions

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        guard arguments.trailing?.isEmpty == false else {
            throw UsageError("exec: COMMAND is missing", hint: "It comes after a --.", command: "exec")
        }
        options = try SessionOptions(arguments, kind: .login)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        guard try store.contains(name) || SessionRegistry.isRunning(name, in: context.layout) else {
            throw try store.notInstalled(name)
        }
        guard SessionRegistry.read(name, in: context.layout)?.livingHolder() != nil else {
            throw NotRunning(name: name)
        }
        return try options.launch(name, in: context)
    }
}

/// Something is asked of a container that only a running one can do.
struct NotRunning: UserFacing {
    let name: ContainerName
    var message: String { "container \(name) is not running" }
    var hint: String? {
        "Run a command in it with: chroot-distro login \(name) -- COMMAND · or in the background: chroot-distro run -d \(name)"
    }
}
