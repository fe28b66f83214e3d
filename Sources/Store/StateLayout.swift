import Libc
import Platform

/// Where the program keeps what: the only place that knows the names of directories on this host.
package struct StateLayout: Hashable, Sendable {
    /// Containers, locks, staging and trash.
    package let data: HostPath
    /// The image store.
    package let cache: HostPath
    /// What is running; worth nothing after a reboot.
    package let run: HostPath

    /// The store of images that are run without being installed: see `ImageRoots`.
    package var imageRoots: StateLayout { StateLayout(data: cache / "rootfs", cache: cache, run: run) }

    package init(data: HostPath, cache: HostPath, run: HostPath) {
        self.data = data
        self.cache = cache
        self.run = run
    }

    /// What the choice depends on.
    package struct Facts: Sendable {
        package var isRoot: Bool
        /// The Termux prefix, when this is Termux.
        package var termuxPrefix: HostPath?
        /// Variables; an empty value counts as unset.
        package var dataHome: String?
        package var cacheHome: String?
        package var runtimeDirectory: String?
        package var home: HostPath
        /// Whether `/var/lib/chroot-distro` exists.
        package var hasSystemStore: Bool
        /// Whether root's `~/.local/share/chroot-distro/containers` exists.
        package var hasLegacyStore: Bool

        package init(
            isRoot: Bool, termuxPrefix: HostPath?, dataHome: String?, cacheHome: String?,
            runtimeDirectory: String?,
            home: HostPath, hasSystemStore: Bool, hasLegacyStore: Bool
        ) {
            self.isRoot = isRoot
            self.termuxPrefix = termuxPrefix
            self.dataHome = dataHome
            self.cacheHome = cacheHome
            self.runtimeDirectory = runtimeDirectory
            self.home = home
            self.hasSystemStore = hasSystemStore
            self.hasLegacyStore = hasLegacyStore
        }
    }

    private static let program = "chroot-distro"
    package static let systemData: HostPath = "/var/lib/chroot-distro"

    /// The table of `docs/state.md`: a set XDG variable wins, then the platform decides.
    package static func choose(_ facts: Facts) -> StateLayout {
        func named(_ value: String?) -> HostPath? {
            value.flatMap { $0.hasPrefix("/") ? HostPath($0) / program : nil }
        }
        let ownData = facts.home / ".local/share" / program
        let ownCache = facts.home / ".cache" / program
        if let prefix = facts.termuxPrefix {
            let data = named(facts.dataHome) ?? prefix / "var/lib" / program
            return StateLayout(data: data, cache: named(facts.cacheHome) ?? data / "cache", run: data / "run")
        }
        guard facts.isRoot else {
            let data = named(facts.dataHome) ?? ownData
            let run = facts.dataHome == nil ? named(facts.runtimeDirectory) ?? data / "run" : data / "run"
            return StateLayout(data: data, cache: named(facts.cacheHome) ?? ownCache, run: run)
        }
        if let data = named(facts.dataHome) {
            return StateLayout(data: data, cache: named(facts.cacheHome) ?? ownCache, run: data / "run")
        }
        if !facts.hasSystemStore, facts.hasLegacyStore {
            return StateLayout(data: ownData, cache: named(facts.cacheHome) ?? ownCache, run: ownData / "run")
        }
        return StateLayout(
            data: systemData, cache: named(facts.cacheHome) ?? "/var/cache/chroot-distro",
            run: "/run/chroot-distro")
    }
}
