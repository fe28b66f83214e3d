import CLI
import Libc
import Platform
import Session
import Store

struct AttachCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "attach", summary: "Join the terminal of a detached session", group: "Living in containers",
        description: [
            "Shows what a detached session writes and, where its command has a terminal, passes on what is typed. Several may be attached at once. The keys of --detach-keys leave it running; its end ends attach with its status."
        ],
        operands: [Operand("CONTAINER|PID", .running)],
        flags: [
            Flag(
                "detach-keys", value: "KEYS",
                help: "Leave with these keys, separated by commas (default ctrl-p,ctrl-q); empty for none")
        ],
        examples: [.init("chroot-distro attach web"), .init("chroot-distro attach 4711")])

    private let word: String
    private let keys: [UInt8]

    init(_ arguments: ParsedArguments) throws(UsageError) {
        word = try arguments.operand("CONTAINER|PID")
        let text = try arguments.text("detach-keys") ?? "ctrl-p,ctrl-q"
        guard let keys = Self.keys(text) else {
            throw arguments.invalid(
                "detach-keys", "\(Quoted(text)) is not understood",
                hint: "Write single characters and ctrl-X, separated by commas.")
        }
        self.keys = keys
    }

    /// The bytes that a terminal sends for `a,ctrl-b,…`; `nil` for anything else.
    static func keys(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for word in text.split(separator: ",") {
            let isControl = word.lowercased().hasPrefix("ctrl-")
            let rest = isControl ? word.dropFirst(5) : word
            guard let code = rest.utf8.first, rest.utf8.count == 1, code > 0x20, code < 0x7f else {
                return nil
            }
            guard !isControl || code == 0x3f || (0x40...0x5f).contains(code & 0xdf) else { return nil }
            bytes.append(isControl ? code & 0x1f : code)
        }
        return bytes
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let (name, session) = try find(context)
        let registry = try SessionRegistry.open(name, in: context.layout)
        var attachment = try Attachment(to: session.pid, of: registry, keys: keys)
        switch try attachment.run() {
        case .ended(let status): return status
        case .left(let status):
            context.diagnostics.info("\(name) goes on; its session is \(session.pid)")
            return status
        case .lost: throw SessionLost(name: name, pid: session.pid)
        }
    }

    /// The session with that number, or the newest detached one of the container.
    private func find(_ context: borrowing Context) throws -> (ContainerName, SessionRecord) {
        let store = try context.store()
        if let name = try? ContainerName(word), try store.contains(name) {
            let sessions = SessionRegistry.read(name, in: context.layout)?.openSessions() ?? []
            guard let session = sessions.last(where: \.isDetached) else { throw NotDetached(word: word) }
            return (name, session)
        }
        let pid = Int32(word)
        for name in try store.names() {
            let sessions = SessionRegistry.read(name, in: context.layout)?.openSessions() ?? []
            guard let session = sessions.first(where: { $0.pid == pid }) else { continue }
            guard session.isDetached else { throw NotDetached(word: word) }
            return (name, session)
        }
        if let pid { throw SessionNotFound(pid: pid) }
        do { throw try store.notInstalled(try ContainerName(word)) } catch let error as NameError {
            throw UsageError(error.message, hint: error.hint)
        }
    }
}

/// Only a detached session can be attached to.
struct NotDetached: UserFacing {
    let word: String
    var message: String { "\(Quoted(word)) has no detached session" }
    var hint: String? {
        "Start one with: chroot-distro login --detach \(Quoted(word)) · see all with: chroot-distro ps"
    }
}

/// A session that ended without saying how.
struct SessionLost: UserFacing {
    let name: ContainerName
    let pid: Int32
    var message: String { "session \(pid) of \(name) was ended by force" }
    var hint: String? { "See what it wrote with: chroot-distro logs \(name)" }
}
