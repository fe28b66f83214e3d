import Libc
import Platform

/// What anybody may know of an open session: `run/NAME/sessions/PID.json`.
package struct SessionRecord: Decodable, Hashable, Sendable {
    /// The command that opened it.
    package enum Kind: String, Decodable, Sendable { case login, run }

    /// The supervisor, which `kill` takes.
    package var pid: pid_t
    package var kind: Kind
    /// As it was asked for, such as `root` or `1000:1000`.
    package var user: String
    /// What runs inside, for people to read.
    package var command: [String]
    /// Seconds since the epoch.
    package var started: Int64

    /// Whether it goes on without its caller's terminal, so that others can attach to it.
    package var isDetached: Bool { detached ?? false }
    private var detached: Bool?

    /// By which the supervisor is told from a later process with its number.
    package var startTime: UInt64
    package var bootID: String

    package init(
        _ supervisor: ProcessIdentity, kind: Kind, user: String, command: [String], started: Int64,
        isDetached: Bool = false
    ) {
        pid = supervisor.pid
        startTime = supervisor.startTime
        bootID = supervisor.bootID
        self.kind = kind
        self.user = user
        self.command = command
        self.started = started
        detached = isDetached ? true : nil
    }

    /// A session whose record is damaged; nobody is taken for its supervisor.
    init(unknown pid: pid_t) {
        let nobody = ProcessIdentity(pid: pid, startTime: 0, bootID: "")
        self.init(nobody, kind: .login, user: "?", command: [], started: 0)
    }

    package var supervisor: ProcessIdentity {
        ProcessIdentity(pid: pid, startTime: startTime, bootID: bootID)
    }

    var isAlive: Bool { supervisor.isAlive }

    /// As `Decodable` reads it.
    var json: String {
        JSONText.object(
            (isDetached ? [("detached", "true")] : []) + [
                ("bootID", JSONText.string(bootID)),
                ("command", JSONText.array(command.map(JSONText.string))),
                ("kind", JSONText.string(kind.rawValue)),
                ("pid", "\(pid)"), ("startTime", "\(startTime)"), ("started", "\(started)"),
                ("user", JSONText.string(user)),
            ])
    }
}

/// The process that keeps a running container's namespaces: `run/NAME/holder.json`.
package struct HolderRecord: Hashable, Sendable {
    package var pid: pid_t
    package var startTime: UInt64
    package var bootID: String
    /// The inode of its mount namespace, by which members are told.
    package var mountNamespace: UInt64
    /// The options that define the container and cannot differ between its sessions.
    package var mode: String
    package var binds: [Bind]
    /// Binds that a session was adding; once it is gone, only the container itself can tell which of them are in place.
    package var pending: [PendingBind]?
    /// The inode of its PID namespace; `nil` when it has none of its own.
    package var processNamespace: UInt64?
    /// The first of the host's ids that the container has for its own; `nil` when it has the host's.
    package var firstID: UInt32?
    /// Whether its root cannot be written to.
    package var isReadOnly: Bool?
    /// Whether changes vanish with it; `nil` means no.
    package var isEphemeral: Bool?
    /// The image whose files it has; `nil` when it is an installed container.
    package var image: String?
    /// What the container was started with; `nil` without limits.
    package var limits: ResourceLimits?

    /// A bind that is in place.
    package struct Bind: Hashable, Sendable {
        package var source: String
        package var target: String
        /// Words of mount(8), in one order.
        package var options: String
        package init(source: String, target: String, options: String) {
            self.source = source
            self.target = target
            self.options = options
        }
    }

    /// A bind that is being added, and the file or directory that is seen in its place when it has been.
    package struct PendingBind: Hashable, Sendable {
        package var bind: Bind
        package var device: UInt64
        package var inode: UInt64

        package init(_ bind: Bind, of source: FileStatus) {
            self.init(bind: bind, device: UInt64(source.device), inode: source.inode)
        }

        fileprivate init(bind: Bind, device: UInt64, inode: UInt64) {
            self.bind = bind
            self.device = device
            self.inode = inode
        }

        /// Whether that is what a container has there.
        package func isInPlace(_ found: FileStatus) -> Bool {
            UInt64(found.device) == device && found.inode == inode
        }
    }

    package init(
        identity: ProcessIdentity, mountNamespace: UInt64, mode: String, binds: [Bind],
        limits: ResourceLimits? = nil
    ) {
        pid = identity.pid
        startTime = identity.startTime
        bootID = identity.bootID
        self.mountNamespace = mountNamespace
        self.mode = mode
        self.binds = binds
        self.limits = limits
    }

    /// As `init(json:)` reads it.
    var json: String {
        let binds = binds.map(\.json)
        var optional: [(String, String)] = []
        if let pending { optional.append(("pending", JSONText.array(pending.map(\.json)))) }
        if let processNamespace { optional.append(("processNamespace", "\(processNamespace)")) }
        if let firstID { optional.append(("firstID", "\(firstID)")) }
        if let isReadOnly { optional.append(("isReadOnly", "\(isReadOnly)")) }
        if let isEphemeral { optional.append(("isEphemeral", "\(isEphemeral)")) }
        if let image { optional.append(("image", JSONText.string(image))) }
        if let limits { optional.append(("limits", limits.json)) }
        return JSONText.object(
            [
                ("binds", JSONText.array(binds)), ("bootID", JSONText.string(bootID)),
                ("mode", JSONText.string(mode)),
                ("mountNamespace", "\(mountNamespace)"), ("pid", "\(pid)"), ("startTime", "\(startTime)"),
            ] + optional)
    }

    package var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTime, bootID: bootID) }
}

extension HolderRecord {
    /// Reads a record; `nil` for what is none.
    ///
    /// By hand, since each `login` to a running container does it: making coders for all these types takes longer.
    package init?(json bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes), let pid = value["pid"]?.integer(pid_t.self),
            let startTime = value["startTime"]?.integer(UInt64.self), let bootID = value["bootID"]?.string,
            let mountNamespace = value["mountNamespace"]?.integer(UInt64.self),
            let mode = value["mode"]?.string, let binds = value["binds"]?.elements
        else { return nil }
        let identity = ProcessIdentity(pid: pid, startTime: startTime, bootID: bootID)
        self.init(identity: identity, mountNamespace: mountNamespace, mode: mode, binds: [])
        for bind in binds {
            guard let bind = Bind(bind) else { return nil }
            self.binds.append(bind)
        }
        if let found = value["pending"], found != .null {
            guard let entries = found.elements else { return nil }
            var pending: [PendingBind] = []
            for entry in entries {
                guard let bind = entry["bind"].flatMap({ Bind($0) }),
                    let device = entry["device"]?.integer(UInt64.self),
                    let inode = entry["inode"]?.integer(UInt64.self)
                else { return nil }
                pending.append(PendingBind(bind: bind, device: device, inode: inode))
            }
            self.pending = pending
        }
        do {
            processNamespace = try value.optional("processNamespace") { $0.integer() }
            firstID = try value.optional("firstID") { $0.integer() }
            isReadOnly = try value.optional("isReadOnly") { $0.boolean }
            isEphemeral = try value.optional("isEphemeral") { $0.boolean }
            image = try value.optional("image") { $0.string }
            if let values = try value.optional("limits", { $0.members.map { JSONValue.object($0) } }) {
                limits = ResourceLimits(
                    memory: try values.optional("memory") { $0.integer() },
                    processorTime: try values.optional("processorTime") { $0.integer() },
                    processes: try values.optional("processes") { $0.integer() })
            }
        } catch {
            return nil
        }
    }
}

extension JSONValue {
    /// What a member says, or `nil` where there is none.
    ///
    /// One that says something else is damage: to take it for absent would make an isolated container's holder that of
    /// one without users of its own.
    fileprivate func optional<Value>(
        _ name: String, _ convert: (JSONValue) -> Value?
    ) throws(JSONParser.Malformed) -> Value? {
        guard let member = self[name], member != .null else { return nil }
        guard let value = convert(member) else { throw JSONParser.Malformed(offset: 0) }
        return value
    }
}

extension HolderRecord.Bind {
    fileprivate init?(_ value: JSONValue) {
        guard let source = value["source"]?.string, let target = value["target"]?.string,
            let options = value["options"]?.string
        else { return nil }
        self.init(source: source, target: target, options: options)
    }

    fileprivate var json: String {
        JSONText.object([
            ("options", JSONText.string(options)), ("source", JSONText.string(source)),
            ("target", JSONText.string(target)),
        ])
    }
}

extension HolderRecord.PendingBind {
    fileprivate var json: String {
        JSONText.object([("bind", bind.json), ("device", "\(device)"), ("inode", "\(inode)")])
    }
}

extension ResourceLimits {
    fileprivate var json: String {
        let values = [
            ("memory", memory), ("processorTime", processorTime), ("processes", processes),
        ]
        return JSONText.object(values.compactMap { name, value in value.map { (name, "\($0)") } })
    }
}
