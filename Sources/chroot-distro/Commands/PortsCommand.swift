import CLI
import Libc
import Platform
import Session
import Store

struct PortsCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "ports", summary: "List where containers listen", group: "Living in containers",
        description: [
            "Shows the sockets on which processes of the given containers, or of all that run, wait for connections or datagrams. Containers have the host's network, so that two cannot listen at one place."
        ],
        operands: [Operand("CONTAINER", .running, optional: true, repeatable: true)],
        flags: ListingFormat.flags,
        examples: [.init("chroot-distro ports"), .init("chroot-distro ports web --json")])

    private let names: [ContainerName]
    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) {
        names = try arguments.containers("CONTAINER")
        format = ListingFormat(arguments)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let sockets = Dictionary(
            ListeningSocket.all(of: "self").map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
        var items: [ListedPort] = []
        for name in try context.existing(names) {
            var seen: Set<UInt64> = []
            for pid in try Shutdown(name, in: context.layout).processes() {
                for inode in ListeningSocket.inodes(of: pid).sorted() {
                    guard let socket = sockets[inode], seen.insert(inode).inserted else { continue }
                    items.append(ListedPort(name.description, socket, pid))
                }
            }
        }
        items.sort { ($0.container, $0.port, $0.protocol) < ($1.container, $1.port, $1.protocol) }
        if items.isEmpty, format == .table {
            context.diagnostics.info("Nothing listens.")
        } else {
            try context.print(items, format)
        }
        return .success
    }
}

/// A place where a container listens, in a list.
struct ListedPort: Listed {
    let container: String
    /// `tcp`, `tcp6`, `udp` or `udp6`.
    let `protocol`: String
    let address: String
    let port: UInt16
    /// The first process that has the socket.
    let pid: pid_t
    let command: [String]

    static let columns = [
        Column("CONTAINER"), Column("PROTOCOL"), Column("ADDRESS"), Column("PORT", .right),
        Column("PID", .right),
        Column("COMMAND"),
    ]
    static let plural = "ports"

    init(_ container: String, _ socket: ListeningSocket, _ pid: pid_t) {
        self.container = container
        self.protocol = socket.protocol
        address = socket.address
        port = socket.port
        self.pid = pid
        command = ProcessUsage(of: pid)?.command ?? []
    }

    var row: Row {
        Row([
            container, self.protocol, address, "\(port)", "\(pid)",
            ShellWords.join(command.map { RawString($0) }).text,
        ])
    }

    var word: String { "\(port)" }
}
