import CLI
import Libc
import Platform
import Session
import Store

struct PsCommand: Command {
    static let spec = CommandSpec(
        "ps", summary: "List what runs", group: "Living in containers",
        description: [
            "Shows each open session with the process that `kill` takes. A container in which only processes without a session are left has a line of its own."
        ],
        flags: ListingFormat.flags + [Flag("all", short: "a", help: "Show containers that do not run, too")],
        examples: [.init("chroot-distro ps"), .init("chroot-distro ps --all --json")])

    private let format: ListingFormat
    private let showsAll: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        format = ListingFormat(arguments)
        showsAll = arguments.isSet("all")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let layout = context.systemLayout
        let now = Int64(time(nil))
        var items: [ListedSession] = []
        let installed = try installed(context, layout)
        for name in Set(installed + SessionRegistry.recorded(in: layout)).sorted() {
            let registry = SessionRegistry.read(name, in: layout)
            let sessions = registry?.openSessions() ?? []
            items += sessions.map { ListedSession(name.description, $0, now: now) }
            guard sessions.isEmpty else { continue }
            if geteuid() == 0 { Debris.sweep(name, in: layout) }
            if let holder = Shutdown(name, in: layout).remainder() {
                items.append(ListedSession(name.description, holder: holder))
            } else if showsAll, installed.contains(name) {
                items.append(ListedSession(idle: name.description))
            }
        }
        if format == .quiet {
            var seen: Set<String> = []
            items = items.filter { seen.insert($0.container).inserted }
        }
        if items.isEmpty, format == .table {
            context.diagnostics.info("Nothing runs.")
        } else {
            try context.print(items, format)
        }
        return .success
    }

    /// The containers: those of the store for whoever may read it, else those of the public index.
    private func installed(_ context: borrowing Context, _ layout: StateLayout) throws -> [ContainerName] {
        if geteuid() == 0, access(layout.data.rawValue, F_OK) == 0 { return try context.store().names() }
        return (try PublicIndex.read(layout)?.containers ?? []).compactMap { try? ContainerName($0.name) }
    }
}

/// A session, or a container without one, in a list.
struct ListedSession: Listed {
    let container: String
    let pid: pid_t?
    /// `login`, `run`, `left` (processes without a session) or `idle`.
    let type: String
    let user: String?
    /// Seconds since the epoch.
    let started: Int64?
    /// Seconds.
    let uptime: Int64?
    let command: [String]
    /// Whether others can attach to it.
    let detached: Bool

    static let columns = [
        Column("PID", .right), Column("CONTAINER"), Column("TYPE"), Column("USER"), Column("UPTIME", .right),
        Column("COMMAND"),
    ]
    static let plural = "sessions"

    init(_ container: String, _ session: SessionRecord, now: Int64) {
        self.container = container
        pid = session.pid
        type = session.kind.rawValue
        user = session.user
        started = session.started
        uptime = max(0, now - session.started)
        command = session.command
        detached = session.isDetached
    }

    init(_ container: String, holder: HolderRecord) {
        self.init(container, type: "left")
    }

    init(idle container: String) { self.init(container, type: "idle") }

    private init(_ container: String, type: String) {
        self.container = container
        self.type = type
        pid = nil
        user = nil
        started = nil
        uptime = nil
        command = []
        detached = false
    }

    var row: Row {
        Row([
            pid.map(String.init) ?? "-", container, type, user ?? "-",
            uptime.map { Uptime(seconds: $0).description } ?? "-",
            ShellWords.join(command.map { RawString($0) }).text,
        ])
    }

    var word: String { container }
}
