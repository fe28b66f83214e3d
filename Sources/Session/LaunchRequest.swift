import Libc
import Mounts
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
    /// What the container may use of the machine; they count from its start on.
    package var limits = ResourceLimits()
    package var isMinimal = false
    package var sharesHome = false
    /// `nil`: the platform's own way.
    package var sharesTemporary: Bool?

    package init(kind: SessionRecord.Kind) { self.kind = kind }
}

/// What of this host a session depends on.
package struct HostFacts: Sendable {
    /// The variables of the person who called.
    package var environment: Environment
    package var termux: Termux?
    /// The caller's home, for `--shared-home`; `nil` when there is none.
    package var home: HostPath?
    package var devices: HostDevices
    /// Which of the paths in question exist and can be read here.
    package var exists: @Sendable (HostPath) -> Bool
    /// Whom a path belongs to.
    package var owner: @Sendable (HostPath) -> FileOwner?

    /// A user and a group of this host.
    package struct FileOwner: Hashable, Sendable {
        package let user: uid_t
        package let group: gid_t
        package init(user: uid_t, group: gid_t) {
            self.user = user
            self.group = group
        }
    }

    package init(
        environment: Environment, termux: Termux?, home: HostPath?, devices: HostDevices,
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
    package var terminals: Set<String>

    package init(
        name: ContainerName, manifest: ContainerManifest, accounts: GuestAccounts, terminals: Set<String>
    ) {
        self.name = name
        self.manifest = manifest
        self.accounts = accounts
        self.terminals = terminals
    }

    /// Looks into the container, by descriptor.
    package init(of container: borrowing Container, _ rootfs: borrowing Rootfs, terminal: String?) throws {
        var terminals: Set<String> = []
        if let terminal, Self.hasTerminfo(terminal, in: rootfs) { terminals.insert(terminal) }
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
