import CLI
import Libc
import Platform
import Session
import Store

struct TopCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "top", summary: "List the processes of containers", group: "Living in containers",
        description: [
            "Shows every process in the given containers, or in all that run, with what it has had of a processor since it started."
        ],
        operands: [Operand("CONTAINER", .running, optional: true, repeatable: true)],
        flags: ListingFormat.flags,
        examples: [.init("chroot-distro top"), .init("chroot-distro top web --json")])

    private let names: [ContainerName]
    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) {
        names = try arguments.containers("CONTAINER")
        format = ListingFormat(arguments)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let uptime = Self.uptime()
        var items: [ListedProcess] = []
        for name in try context.existing(names) {
            for pid in try Shutdown(name, in: context.layout).processes() {
                guard let usage = ProcessUsage(of: pid) else { continue }
                items.append(ListedProcess(name.description, usage, uptime: uptime))
            }
        }
        if items.isEmpty, format == .table {
            context.diagnostics.info("Nothing runs.")
        } else {
            try context.print(items, format)
        }
        return .success
    }

    /// Clock ticks since the machine has started.
    private static func uptime() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        return Int64(now.tv_sec) * ProcessUsage.ticksPerSecond
            + Int64(now.tv_nsec) * ProcessUsage.ticksPerSecond / 1_000_000_000
    }
}

/// A process of a container in a list.
struct ListedProcess: Listed {
    let container: String
    let pid: pid_t
    let user: uid_t
    /// Hundredths of one processor.
    let cpu: Double
    /// Bytes.
    let memory: Int64
    let threads: Int64
    /// Seconds of processor time.
    let time: Int64
    let command: [String]

    static let columns = [
        Column("PID", .right), Column("CONTAINER"), Column("UID", .right), Column("CPU%", .right),
        Column("MEMORY", .right), Column("TIME", .right), Column("COMMAND"),
    ]
    static let plural = "processes"

    init(_ container: String, _ usage: ProcessUsage, uptime: Int64) {
        self.container = container
        pid = usage.pid
        user = usage.user
        let age = max(1, uptime - Int64(clamping: usage.startTime))
        cpu = Percentage.rounded(Double(usage.ticks) / Double(age))
        memory = usage.memory
        threads = usage.threads
        time = usage.ticks / ProcessUsage.ticksPerSecond
        command = usage.command
    }

    var row: Row {
        Row([
            "\(pid)", container, "\(user)", "\(cpu)", ByteCount(memory).description,
            Uptime(seconds: time).description, ShellWords.join(command.map { RawString($0) }).text,
        ])
    }

    var word: String { "\(pid)" }
}

/// Parts of one processor, for people to read.
enum Percentage {
    /// In hundredths, with one decimal.
    static func rounded(_ part: Double) -> Double { (part * 1000).rounded() / 10 }
}

extension Context {
    /// The named containers, which have to exist, or all.
    func existing(_ names: [ContainerName]) throws -> [ContainerName] {
        let store = try store()
        for name in names {
            guard try store.contains(name) || SessionRegistry.isRunning(name, in: layout) else {
                throw try store.notInstalled(name)
            }
        }
        return names.isEmpty ? try known() : names
    }

    /// The installed containers, and what may run without being installed.
    func known() throws -> [ContainerName] {
        Set(try store().names() + SessionRegistry.recorded(in: layout)).sorted()
    }
}
