import CLI
import CLinux
import Libc
import Platform

/// From the command line to an exit status.
enum Program {
    static let version = "1.0.0"
    /// The day of the version, for the man pages.
    static let date = "2026-11-21"

    static let table = CommandTable<Context>([
        LoginCommand.self, RunCommand.self, ExecCommand.self, ListCommand.self, PsCommand.self,
        InstallCommand.self, RemoveCommand.self, RenameCommand.self, ResetCommand.self, DiffCommand.self,
        CommitCommand.self, BackupCommand.self, RestoreCommand.self, ExportCommand.self, KillCommand.self,
        StopCommand.self,
        StartCommand.self, RestartCommand.self, LogsCommand.self, AttachCommand.self, UnmountCommand.self,
        TopCommand.self, StatsCommand.self, PortsCommand.self, EventsCommand.self,
        ImagePullCommand.self, ImageListCommand.self, ImageRemoveCommand.self, ImageTagCommand.self,
        ImageInspectCommand.self, ImageHistoryCommand.self, ImageFilesCommand.self, ImageSaveCommand.self,
        ImageLoadCommand.self, ImageUnpackCommand.self, ImageUsageCommand.self, ImagePruneCommand.self,
        PushCommand.self, SearchCommand.self, RegistryLoginCommand.self,
        RegistryLogoutCommand.self, ClearCacheCommand.self,
        CopyCommand.self, SyncCommand.self,
        SetupCommand.self, InfoCommand.self, DoctorCommand.self, CompleteCommand.self, GenerateCommand.self,
    ])

    static func main() -> ExitStatus {
        cd_expect_memory()
        umask(0o022)
        // Whatever is opened later must not take the place of a closed standard descriptor.
        while case let null = open("/dev/null", O_RDWR | O_CLOEXEC), null >= 0 {
            if null > 2 {
                close(null)
                break
            }
            _ = fcntl(null, F_SETFD, 0)
        }
        // A reader that goes away is an error of a write, not a death without a word.
        SignalAction.ignore.set(for: SIGPIPE)
        let diagnostics = Diagnostics()
        do {
            let environment = Environment.ofProcess()
            let words = ProcessArguments.words
            guard let handoff = try Elevation.receive(from: words, environment: environment) else {
                return try run(words, Caller(environment), diagnostics)
            }
            return try run(handoff.arguments, Caller(handoff, environment, diagnostics), diagnostics)
        } catch let error as UsageError {
            return diagnostics.report(error, of: spec, commands: table.specs)
        } catch let error as SystemError where error.code == EPIPE {
            return .failure
        } catch {
            return diagnostics.report(error)
        }
    }

    private static var columns: Int? { Terminal.columns() }

    private static func run(
        _ words: [RawString], _ caller: Caller, _ diagnostics: Diagnostics
    ) throws -> ExitStatus {
        switch try Invocation<Context>.read(words, program: spec, table: table) {
        case .version:
            try FileDescriptor.standardOutput("\(spec.name) \(version)\n")
        case .frontPage:
            try FileDescriptor.standardOutput(
                HelpPage(spec, commands: table.visibleSpecs, columns: columns, style: .of(1)).text)
        case .help(let command):
            try FileDescriptor.standardOutput(
                HelpPage(command, of: spec, columns: columns, style: .of(1)).text)
        case .command(let type, let arguments, let global):
            let command = try type.init(arguments)
            if Elevation.isNeeded, (command as? any PrivilegedCommand)?.needsRoot == true {
                let elevation = Elevation(
                    noElevate: global.isSet("no-elevate"), useSudo: global.isSet("use-sudo"),
                    environment: caller.environment, host: caller.host)
                return try elevation.run(words)
            }
            return try command.run(in: Context(caller: caller, diagnostics: diagnostics))
        }
        return .success
    }
}

/// A command that works on what belongs to root; another user is asked to become root first.
protocol PrivilegedCommand: Command<Context> {
    /// Whether it does with these words; most commands always do.
    var needsRoot: Bool { get }
}

extension PrivilegedCommand {
    var needsRoot: Bool { true }
}

extension FileDescriptor {
    /// Writes data for a program or a pager to read.
    static func standardOutput(_ text: String) throws(SystemError) {
        let output = try syscall("dup") { fcntl(1, F_DUPFD_CLOEXEC, 3) }
        try FileDescriptor(adopting: output).writeAll(text)
    }

    /// The same for bytes.
    static func standardOutput(_ bytes: [UInt8]) throws(SystemError) {
        let output = try syscall("dup") { fcntl(1, F_DUPFD_CLOEXEC, 3) }
        try FileDescriptor(adopting: output).writeAll(bytes)
    }
}
