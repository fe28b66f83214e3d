import CLI
import Libc
import Platform
import Session
import Store

struct StartCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "start", summary: "Start a container's last detached command again", group: "Living in containers",
        description: [
            "Starts what login --detach or run --detach last started in the container, with the same options, from the same directory. Nothing is done when a detached session is open."
        ],
        operands: [Operand("CONTAINER", .container)], examples: [.init("chroot-distro start web")])

    private let name: ContainerName

    init(_ arguments: ParsedArguments) throws(UsageError) { name = try arguments.container("CONTAINER") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let sessions = SessionRegistry.read(name, in: context.layout)?.openSessions() ?? []
        if let session = sessions.last(where: \.isDetached) {
            context.diagnostics.info("\(name) runs already; its session is \(session.pid)")
            return .success
        }
        return try Self.start(name, context)
    }

    static func start(_ name: ContainerName, _ context: borrowing Context) throws -> ExitStatus {
        let container = try context.store().container(name)
        guard let saved = DetachedCommand.saved(in: container.directory) else {
            throw NothingToStart(name: name)
        }
        let type: any Command<Context>.Type = saved.command == "run" ? RunCommand.self : LoginCommand.self
        guard
            case .arguments(let arguments) = try ArgvParser.parse(
                saved.arguments(for: name.description), for: type.spec, of: Program.spec)
        else { throw NothingToStart(name: name) }
        // Relative paths mean what they meant then, or nothing.
        do { try syscall("chdir") { saved.directory.raw.withCString { chdir($0) } } } catch {
            throw LostDirectory(name: name, path: saved.directory.raw, reason: error.reason)
        }
        let remembered = Environment(entries: saved.environment.map(\.raw))
        let home = saved.home.map { HostPath($0.raw.text) }
        let caller = context.caller.remembering(remembered, instead: Detachment.isRemembered, home: home)
        return try type.init(arguments).run(in: Context(caller: caller, diagnostics: context.diagnostics))
    }
}

struct RestartCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "restart", summary: "Stop a container and start its last detached command again",
        group: "Living in containers", description: ["The same as stop, then start."],
        operands: [Operand("CONTAINER", .container)],
        flags: StopCommand.spec.flags, examples: [.init("chroot-distro restart web")])

    private let name: ContainerName
    private let patience: Duration

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        patience = .seconds(try arguments.number("time", in: 0...86400) ?? 10)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        let container = try store.container(name)
        guard DetachedCommand.saved(in: container.directory) != nil else { throw NothingToStart(name: name) }
        try StopCommand.stop(.container(name), patience, context)
        return try StartCommand.start(name, context)
    }
}

/// What was started cannot be started from where it was.
struct LostDirectory: UserFacing {
    let name: ContainerName
    let path: RawString
    let reason: String
    var message: String {
        "the directory from which \(name) was started cannot be entered: \(Quoted(bytes: path.bytes)) (\(reason))"
    }
    var hint: String? { "Make it again, or start it anew: login --detach or run --detach" }
}

/// No detached command is remembered.
struct NothingToStart: UserFacing {
    let name: ContainerName
    var message: String { "nothing was ever started in \(name) in the background" }
    var hint: String? { "Start what its image is made for with: chroot-distro run --detach \(name)" }
}
