import CLI
import CLinux
import Libc
import Mounts
import OCI
import Platform
import Session
import Store

/// What every command works with.
struct Context {
    let caller: Caller
    let diagnostics: Diagnostics
    let layout: StateLayout

    init(caller: Caller, diagnostics: Diagnostics) {
        self.caller = caller
        self.diagnostics = diagnostics
        layout = Self.layout(caller, isRoot: geteuid() == 0)
    }

    /// The store of the system, for whoever may only look at it.
    var systemLayout: StateLayout { geteuid() == 0 ? layout : Self.layout(caller, isRoot: true) }

    private static func layout(_ caller: Caller, isRoot: Bool) -> StateLayout {
        let rootHome: HostPath = "/root"
        let home = isRoot ? rootHome : caller.home ?? "/"
        return StateLayout.choose(
            StateLayout.Facts(
                isRoot: isRoot, termuxPrefix: caller.host.termux?.prefix,
                dataHome: caller.environment.nonEmpty("XDG_DATA_HOME"),
                cacheHome: caller.environment.nonEmpty("XDG_CACHE_HOME"),
                runtimeDirectory: caller.environment.nonEmpty("XDG_RUNTIME_DIR"), home: home,
                hasSystemStore: exists(StateLayout.systemData),
                hasLegacyStore: exists(rootHome / ".local/share/chroot-distro/containers")))
    }

    private static func exists(_ path: HostPath) -> Bool { access(path.rawValue, F_OK) == 0 }

    /// The store, for changes.
    func store() throws -> ContainerStore { try ContainerStore.open(layout) }

    /// The image store.
    func images() throws -> ImageLayout { try ImageLayout.open(cache(), keeping: needed) }

    /// The image store, to look at; `nil` when there is none yet.
    func existingImages() throws -> ImageLayout? {
        try ImageLayout.openExisting(layout.cache, keeping: needed)
    }

    /// What the image store keeps although it may have no name any more.
    private var needed: ImageLayout.Needed { { [layout] in try ContainerImages(of: layout).content } }

    /// What is in the image store.
    func catalog() throws -> ImageCatalog {
        guard let images = try existingImages() else { return ImageCatalog() }
        return try ImageCatalog(images)
    }

    /// Whoever talks to registries in the caller's name.
    func puller(allowsInsecure: Bool) throws -> Puller {
        var registries = try registries()
        registries.allowsInsecure = allowsInsecure
        return Puller(
            version: Program.version, environment: caller.personal.texts, registries: registries,
            owner: caller.owner)
    }

    /// Where the image store is, and files that are needed for a moment.
    func cache() throws -> Directory { try ContainerStore.openTrusted(layout.cache) }

    /// What the configuration file says of registries; a missing file says nothing.
    func registries() throws -> RegistriesConfiguration {
        for path in configurationFiles {
            guard let file = try? FileDescriptor.open(path, O_RDONLY) else { continue }
            return try RegistriesConfiguration(json: file.readAll(limit: documentLimit), name: path.rawValue)
        }
        return RegistriesConfiguration()
    }

    /// The caller's own file, then that of the system.
    private var configurationFiles: [HostPath] {
        let own =
            caller.environment.nonEmpty("XDG_CONFIG_HOME").map { HostPath($0) }
            ?? caller.home.map { $0 / ".config" }
        let system = (caller.host.termux?.prefix ?? "/") / "etc"
        return [own, system].compactMap { $0 }.map { $0 / "chroot-distro/config.json" }
    }

    /// What a launch planner may know of this host.
    func hostFacts(sharingHome: Bool) -> HostFacts {
        HostFacts(
            environment: caller.environment, termux: caller.host.termux,
            home: sharingHome ? caller.home : nil,
            devices: HostDevices.found(), exists: { access($0.rawValue, R_OK) == 0 },
            owner: { path in
                guard let file = try? FileDescriptor.open(path, cd_o_path) else { return nil }
                return (try? file.status()).map { HostFacts.FileOwner(user: $0.owner, group: $0.group) }
            })
    }

    /// Does the same to each, and says what goes wrong; one that fails does not keep the others from it.
    ///
    /// The status is that of the first that failed.
    func forEach<Item>(_ items: [Item], _ body: (Item) throws -> Void) -> ExitStatus {
        var result = ExitStatus.success
        for item in items {
            do { try body(item) } catch {
                let status = diagnostics.report(error)
                if result == .success { result = status }
            }
        }
        return result
    }

    /// Width for a table, when a screen shows it.
    var outputWidth: Int? { Terminal.isTerminal(1) ? Terminal.size(of: 1)?.columns : nil }

    func print<Item: Listed>(_ items: [Item], _ format: ListingFormat) throws {
        let style = Style.of(1)
        try FileDescriptor.standardOutput(Listing(items).render(format, width: outputWidth, style: style))
    }
}

extension ParsedArguments {
    /// The operand as the name of a container.
    func container(_ operand: String) throws(UsageError) -> ContainerName {
        try Self.name(self.operand(operand))
    }

    func containers(_ operand: String) throws(UsageError) -> [ContainerName] {
        var names: [ContainerName] = []
        for text in try operands(operand) { names.append(try Self.name(text)) }
        return names
    }

    /// A text as the name of a container.
    static func name(_ text: String) throws(UsageError) -> ContainerName {
        do { return try ContainerName(text) } catch { throw UsageError(error.message, hint: error.hint) }
    }
}
