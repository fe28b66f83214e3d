import CLI
import Libc
import Platform
import Session
import Store

/// A session in the background: how it was asked for, and its start.
struct Detachment {
    private let arguments: ParsedArguments

    init(_ arguments: ParsedArguments) { self.arguments = arguments }

    /// Starts the session in a process of its own and prints its number.
    func launch(
        _ launcher: RootfulLauncher, _ plan: LaunchPlan, whole: () throws -> LaunchPlan,
        _ container: borrowing Container, holding lock: consuming FileLock, _ context: Context
    ) throws -> ExitStatus {
        var launcher = launcher
        let isShell = if case .shell = plan.command { true } else { false }
        let log = try OutputLog(in: container.directory.duplicate(), limit: try Self.limit(context))
        let diagnostics = context.diagnostics
        var lock = Optional(lock)
        let pid = try Detaching.start(log: log, hasTerminal: isShell || arguments.isSet("tty")) { console in
            guard let lock = lock.take() else { return .failure }
            launcher.console = console
            return try launcher.run(
                holding: lock, whole: whole, say: { _ in }, warn: { diagnostics.warning($0) })
        }
        try? record(context).save(in: container.directory)
        try FileDescriptor.standardOutput("\(pid)\n")
        return .success
    }

    /// After how many bytes of output a new log is started.
    private static func limit(_ context: Context) throws -> Int64 {
        guard let text = context.caller.environment.nonEmpty("CD_LOG_SIZE") else {
            return OutputLog.standardLimit
        }
        guard let size = ByteCount(text), size.bytes >= 4096 else {
            throw UsageError("CD_LOG_SIZE: \(Quoted(text)) is no size of 4K or more")
        }
        return size.bytes
    }

    private func record(_ context: Context) -> DetachedCommand {
        let variables = context.caller.environment.filter(Self.isRemembered)
        return DetachedCommand(
            command: arguments.spec.name,
            flags: arguments.flags.map { .init(name: $0.name, value: $0.value.map { .init($0) }) },
            words: arguments.trailing, directory: RawString(HostPath(".").absolute.rawValue),
            home: arguments.isSet("shared-home") ? context.caller.home.map { RawString($0.rawValue) } : nil,
            environment: variables.entries)
    }

    /// The program's own variables, but no credentials.
    static func isRemembered(_ name: RawString) -> Bool {
        name.bytes.starts(with: "CD_".utf8) && !name.bytes.starts(with: "CD_DOCKER".utf8)
    }
}
