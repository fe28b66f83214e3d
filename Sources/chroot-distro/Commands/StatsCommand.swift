import CLI
import Libc
import Platform
import Session
import Store

struct StatsCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "stats", summary: "Show what running containers use", group: "Living in containers",
        description: [
            "Shows processor, memory and processes of the given containers, or of all that run, and goes on doing so every two seconds on a terminal until it is interrupted. The kernel's count for the control group is taken where there is one; else the processes are added up."
        ],
        operands: [Operand("CONTAINER", .running, optional: true, repeatable: true)],
        flags: ListingFormat.flags + [Flag("no-stream", help: "Show it once")],
        examples: [.init("chroot-distro stats"), .init("chroot-distro stats --json")])

    private let names: [ContainerName]
    private let format: ListingFormat
    private let isOnce: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        names = try arguments.containers("CONTAINER")
        format = ListingFormat(arguments)
        isOnce = arguments.isSet("no-stream") || format != .table
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let screen = context.outputWidth != nil && !isOnce
        var before = try samples(context)
        while true {
            // Long enough for a tick of the clock to be one per cent.
            usleep(screen && !before.isEmpty ? 2_000_000 : 1_000_000)
            let after = try samples(context)
            let items = after.map { name, sample in
                ListedUsage(name.description, sample, since: before[name])
            }.sorted { $0.container < $1.container }
            if screen { try FileDescriptor.standardOutput("\u{1b}[H\u{1b}[2J") }
            if items.isEmpty, format == .table, !screen {
                context.diagnostics.info("Nothing runs.")
            } else {
                try context.print(items, format)
            }
            guard screen else { return .success }
            before = after
        }
    }

    /// What a container has used up to a moment.
    struct Sample {
        /// Seconds on a clock that nobody sets.
        let moment: Double
        /// Seconds of processor time.
        let processors: Double
        let memory: Int64
        let processes: Int
        let sessions: Int
    }

    private func samples(_ context: borrowing Context) throws -> [ContainerName: Sample] {
        var samples: [ContainerName: Sample] = [:]
        for name in try context.existing(names) {
            let shutdown = Shutdown(name, in: context.layout)
            let usages = try shutdown.processes().compactMap { ProcessUsage(of: $0) }
            guard !usages.isEmpty else { continue }
            let group = shutdown.group
            let ticks = usages.reduce(0) { $0 + $1.ticks }
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            samples[name] = Sample(
                moment: Double(now.tv_sec) + Double(now.tv_nsec) / 1e9,
                processors: group?.processorTime.map { Double($0) / 1e6 }
                    ?? Double(ticks) / Double(ProcessUsage.ticksPerSecond),
                memory: group?.memory ?? usages.reduce(0) { $0 + $1.memory }, processes: usages.count,
                sessions: SessionRegistry.read(name, in: context.layout)?.openSessions().count ?? 0)
        }
        return samples
    }
}

/// What a container uses, in a list.
struct ListedUsage: Listed {
    let container: String
    /// Hundredths of one processor, over the last second or two.
    let cpu: Double
    /// Bytes.
    let memory: Int64
    let processes: Int
    let sessions: Int

    static let columns = [
        Column("CONTAINER"), Column("CPU%", .right), Column("MEMORY", .right), Column("PROCESSES", .right),
        Column("SESSIONS", .right),
    ]
    static let plural = "containers"

    init(_ container: String, _ sample: StatsCommand.Sample, since before: StatsCommand.Sample?) {
        self.container = container
        let used = before.map { (sample.processors - $0.processors) / max(0.001, sample.moment - $0.moment) }
        cpu = Percentage.rounded(max(0, used ?? 0))
        memory = sample.memory
        processes = sample.processes
        sessions = sample.sessions
    }

    var row: Row {
        Row([container, "\(cpu)", ByteCount(memory).description, "\(processes)", "\(sessions)"])
    }

    var word: String { container }
}
