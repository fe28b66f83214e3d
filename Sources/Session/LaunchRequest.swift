import Libc
import Mounts
import Namespaces
import Platform
import Store

/// What a person asked for, and nothing else: the options of `login` and `run` as values.
package struct LaunchRequest: Sendable {
    package var kind: SessionRecord.Kind
    /// `nil`: by CD_USER or the image, else root.
    package var user: String?
    package var workingDirectory: String?
    /// The words after `--`, byte for byte.
    package var arguments: [RawString] = []
    package var entrypoint: String?
    package var environment: [RawString] = []
    package var binds: [BindSpec] = []
    package var hostname: String?
    /// `nil`: by CD_USE_ISOLATION and CD_USE_NS, else that of the running container, else the standard one.
    package var mode: LaunchPlan.Mode?
    package var isStrict = false
    package var addedCapabilities = CapabilitySet.none
    package var droppedCapabilities = CapabilitySet.none
    package var isPrivileged = false
    package var hasNoNewPrivileges = false
    package var isReadOnly = false
    /// Whether what is changed shall vanish with the container's last process.
    package var isEphemeral = false
    /// Addresses for `/etc/resolv.conf`.
    package var nameServers: [String] = []
    package var hosts: [HostEntry] = []
    package var devices: [DeviceSpec] = []
    package var memoryFileSystems: [MemoryFileSystem] = []
    /// What the container may use of the machine; they count from its start on.
    package var limits = ResourceLimits()
    package var sharesHome = false
    /// `nil`: the platform's own way.
    package var sharesTemporary: Bool?

    package init(kind: SessionRecord.Kind) { self.kind = kind }

    /// The mode that was asked for, by option or variable, or else that of the running container.
    func isolation(_ environment: Environment, running: LaunchPlan.Mode?) -> (LaunchPlan.Mode?, strict: Bool)
    {
        if let mode { return (mode, isStrict) }
        if environment.text("CD_USE_ISOLATION")?.lowercased() == "strict" { return (.isolated, true) }
        if environment.isTruthy("CD_USE_ISOLATION") { return (.isolated, isStrict) }
        return (environment.isTruthy("CD_USE_NS") ? .namespaces : running, isStrict)
    }

    /// Whether the session needs ids of the container's own.
    package func wouldBeIsolated(in environment: Environment, running: LaunchPlan.Mode?) -> Bool {
        isolation(environment, running: running).0 == .isolated
    }

    var isMinimal: Bool { mode == .minimal }
    /// Whether nothing of the host is shared that was not asked for.
    var isClosed: Bool { mode == .minimal || mode == .isolated }
}

/// What of this host a session depends on.
package struct HostFacts: Sendable {
    /// The variables of the person who called.
    package var environment: Environment
    package var termux: Termux?
    /// The caller's home, for `--shared-home`; `nil` when there is none.
    package var home: HostPath?
    /// The devices that a container may use; only asked for when one starts.
    package var devices: @Sendable () -> HostDevices
    /// Which of the paths in question exist and can be read here.
    package var exists: @Sendable (HostPath) -> Bool
    /// Whom a path belongs to.
    package var owner: @Sendable (HostPath) -> FileOwner?
    /// The device that a path is, or the devices in a directory by their names; empty when it is neither.
    package var nodes: @Sendable (HostPath) -> [(name: RawString?, node: DeviceNode)] = {
        HostDevices.nodes(at: $0)
    }

    /// A user and a group of this host.
    package struct FileOwner: Hashable, Sendable {
        package let user: uid_t
        package let group: gid_t
        package init(user: uid_t, group: gid_t) {
            self.user = user
            self.group = group
        }
    }

    /// What of /sys tells how hot the processors were.
    package var heatCounters: @Sendable () -> [GuestPath] = { SystemMounts.heatCounters() }

    package init(
        environment: Environment, termux: Termux?, home: HostPath?,
        devices: @escaping @autoclosure @Sendable () -> HostDevices,
        exists: @escaping @Sendable (HostPath) -> Bool, owner: @escaping @Sendable (HostPath) -> FileOwner?
    ) {
        self.environment = environment
        self.termux = termux
        self.home = home
        self.devices = devices
        self.exists = exists
        self.owner = owner
    }
}

/// What of the container a session depends on.
package struct GuestFacts: Sendable {
    package var name: ContainerName
    package var manifest: ContainerManifest
    package var accounts: GuestAccounts
    /// Terminal types that the container knows, among those that were asked about.
    ///
    /// A container without a terminfo database has no say: its programs bring their own, or need none.
    package var terminals: [String]
    /// Its `/etc/hosts`, where that matters.
    package var hosts: [UInt8] = []
    /// The mode in which it is running; `nil` when it is not.
    package var running: LaunchPlan.Mode?
    /// The host's ids that belong to this container alone; `nil` where there are none.
    package var range: IDRange?

    package init(
        name: ContainerName, manifest: ContainerManifest, accounts: GuestAccounts, terminals: [String]
    ) {
        self.name = name
        self.manifest = manifest
        self.accounts = accounts
        self.terminals = terminals
    }

    /// Looks into the container, by descriptor.
    package init(of container: borrowing Container, _ rootfs: borrowing Rootfs, terminal: String?) throws {
        let terminals = [terminal].compactMap { $0 }.filter { Self.hasTerminfo($0, in: rootfs) }
        self.init(
            name: container.name, manifest: try container.manifest(), accounts: GuestAccounts(of: rootfs),
            terminals: terminals)
    }

    private static let terminfo: [GuestPath] = [
        "/usr/share/terminfo", "/lib/terminfo", "/etc/terminfo", "/usr/lib/terminfo",
    ]

    /// Entries lie below the first letter of their name, or below its hexadecimal number (term(5)).
    private static func hasTerminfo(_ terminal: String, in rootfs: borrowing Rootfs) -> Bool {
        guard let first = terminal.utf8.first, !terminal.contains("/") else { return false }
        var hasDatabase = false
        for directory in terminfo where (try? rootfs.status(directory)) != nil {
            hasDatabase = true
            for letter in [
                RawString(String(decoding: [first], as: UTF8.self)), RawString(String(first, radix: 16)),
            ] {
                let path = directory.appending(letter).appending(RawString(terminal))
                if (try? rootfs.status(path)) != nil { return true }
            }
        }
        return !hasDatabase
    }
}
