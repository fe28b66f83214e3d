import CLinux
import Libc
import Mounts
import Namespaces
import Platform

/// The child that becomes the guest's program. It never returns: it is replaced, or reports and ends.
enum GuestProcess {
    /// What the supervisor prepared for it.
    struct Entrance: ~Copyable {
        /// The holder's pidfd.
        let holder: FileDescriptor
        /// Binds that are new to the running container, opened on the host.
        let binds: PreparedBinds
        /// Where the master of a new pty goes; -1 without a terminal.
        let terminal: Int32
        let report: FileDescriptor
    }

    static func run(_ plan: LaunchPlan, _ entrance: consuming Entrance) -> Never {
        do {
            SignalAction.restoreDefaults()
            umask(0o022)
            try Isolation.join(entrance.holder, .mount)
            try entrance.binds.attach()
            if entrance.terminal >= 0 { try GuestTerminal.take(sendingMasterTo: entrance.terminal) }
            if let hostname = plan.hostname { try Isolation.takeHostname(hostname) }
            makeHome(plan)
            try plan.privileges.take()
            try enter(plan.workingDirectory)
            try execute(plan)
        } catch {
            ChildReport.send(error, over: entrance.report)
            _exit(1)
        }
    }

    /// A user whose home is missing gets one, as `useradd -m` would make it, but empty.
    private static func makeHome(_ plan: LaunchPlan) {
        let path = plan.home.absolute
        guard !plan.home.components.isEmpty, path.withCString({ access($0, F_OK) }) != 0 else { return }
        for depth in 1..<max(plan.home.components.count, 1) {
            let parent = GuestPath(components: Array(plan.home.components.prefix(depth))).absolute
            _ = parent.withCString { mkdir($0, 0o755) }
        }
        guard path.withCString({ mkdir($0, 0o700) }) == 0 else { return }
        _ = path.withCString { chown($0, plan.privileges.user, plan.privileges.group) }
    }

    private static func enter(_ directory: LaunchPlan.WorkingDirectory) throws {
        let path = directory.path
        switch directory {
        case .required:
            guard path.withCString({ chdir($0) }) == 0 else {
                let reason = SystemError("chdir", code: errno).reason
                throw LaunchError.inside(
                    "the working directory \(path) cannot be entered: \(reason)",
                    hint: "Give a directory that exists in the container with --work-dir.", .failure)
            }
        case .made:
            if path.withCString({ chdir($0) }) != 0 {
                let components = GuestPath(path).components
                for depth in 0..<components.count {
                    let parent = GuestPath(components: Array(components.prefix(depth + 1))).absolute
                    _ = parent.withCString { mkdir($0, 0o755) }
                }
                try syscall("chdir", path.description) { path.withCString { chdir($0) } }
            }
        case .preferred:
            if path.withCString({ chdir($0) }) != 0 { try syscall("chdir", "/") { chdir("/") } }
        }
    }

    // MARK: - Execution

    private static func execute(_ plan: LaunchPlan) throws -> Never {
        let environment = plan.environment.entries
        switch plan.command {
        case .shell(let shell):
            try Execution.replace([shell, "-l"], environment, search: nil)
        case .words(let words, let shell):
            let search = plan.environment["PATH"] ?? RawString(EnvironmentRules.path)
            do {
                try Execution.replace(words, environment, search: search)
            } catch where shell != nil && error.status == .notFound && isBareWord(words[0]) {
                // It may be a word of the shell's own.
                guard let shell, access(shell.text, X_OK) == 0 else { throw error }
                let line = words.map { ShellWords.quote($0) }
                try Execution.replace([shell, "-c", RawString.joined(line, by: " ")], environment, search: nil)
            }
        }
    }

    private static func isBareWord(_ word: RawString) -> Bool { !word.bytes.contains(UInt8(ascii: "/")) }
}
