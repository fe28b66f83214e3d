import CLinux
import Libc

/// A control group (cgroups(7)): the kernel's own list of processes that belong together.
///
/// All of them can be ended at once and limited together, and nothing leaves it by forking or by a change of root.
package struct ControlGroup: Hashable, Sendable {
    /// Its directory in version 2; `nil` without one.
    private let unified: HostPath?
    /// Its directories in version 1, where that has the controllers for its limits.
    private let legacy: [HostPath]

    private var directories: [HostPath] { (unified.map { [$0] } ?? []) + legacy }

    // MARK: - Making and finding

    /// The group of that name with all its directories, whoever made them; `nil` when there is none.
    ///
    /// With `limits`, only those directories that a group with them has: version 1 is looked for no further.
    package static func existing(
        _ name: String, limits: ResourceLimits? = nil, in tree: ControlGroupTree = .found
    ) -> ControlGroup? {
        let controllers = limits?.wanted.map(\.controller) ?? ResourceLimits.Controller.allCases
        func present(_ root: HostPath) -> HostPath? {
            access((root / name).rawValue, F_OK) == 0 ? root / name : nil
        }
        let unified = tree.unified.flatMap(present)
        let legacy = controllers.compactMap { tree.legacy[$0].flatMap(present) }
        guard unified != nil || !legacy.isEmpty else { return nil }
        return ControlGroup(unified: unified, legacy: legacy)
    }

    /// Makes the group with its limits, which a group of that name that is left over and empty gives way to.
    ///
    /// `nil` where no group can be made and none is needed, since there are no limits.
    package static func make(
        _ name: String, _ limits: ResourceLimits, in tree: ControlGroupTree = .found
    ) throws(ControlGroupError) -> ControlGroup? {
        var unified: HostPath?
        if let root = tree.unified, let room = makeDirectory(root / name) {
            unified = root / name
            if room == .inUse { forget(limits, in: root / name) }
        }
        var group = ControlGroup(unified: unified, legacy: [])
        for (controller, value) in limits.wanted {
            do {
                group = try group.limiting(controller, to: value, name, in: tree)
            } catch {
                group.remove()
                throw error
            }
        }
        return group.directories.isEmpty ? nil : group
    }

    /// Somebody who is still in a group that was left behind has kept its limits, which nobody wants any more.
    private static func forget(_ wanted: ResourceLimits, in directory: HostPath) {
        let kept = Set(wanted.wanted.map(\.controller))
        for controller in ResourceLimits.Controller.allCases where !kept.contains(controller) {
            try? ControlGroupTree.write("max", to: directory / "\(controller.rawValue).max")
        }
    }

    /// Whether a directory is new, or somebody is still in it.
    private enum Room { case new, inUse }

    /// `nil` where none can be made.
    private static func makeDirectory(_ path: HostPath) -> Room? {
        if mkdir(path.rawValue, 0o755) == 0 { return .new }
        guard errno == EEXIST else { return nil }
        rmdir(path.rawValue)
        if mkdir(path.rawValue, 0o755) == 0 { return .new }
        return errno == EEXIST ? .inUse : nil
    }

    private func limiting(
        _ controller: ResourceLimits.Controller, to value: Int64, _ name: String, in tree: ControlGroupTree
    ) throws(ControlGroupError) -> ControlGroup {
        if let unified, Self.enable(controller, in: unified.parent) {
            let (file, text) = Self.setting(controller, value)
            try Self.set(controller, text, unified / file)
            return self
        }
        guard let root = tree.legacy[controller] else { throw .missing(controller) }
        let directory = root / name
        guard Self.makeDirectory(directory) != nil else {
            throw .refused(controller, SystemError("mkdir", directory.description, code: errno))
        }
        for (file, text) in Self.legacySettings(controller, value) {
            try Self.set(controller, text, directory / file)
        }
        return ControlGroup(
            unified: unified, legacy: legacy.contains(directory) ? legacy : legacy + [directory])
    }

    private static func set(
        _ controller: ResourceLimits.Controller, _ text: String, _ file: HostPath
    ) throws(ControlGroupError) {
        do { try ControlGroupTree.write(text, to: file) } catch { throw .refused(controller, error) }
    }

    /// Whether groups below `root` have the controller, which is asked for when they have not.
    private static func enable(_ controller: ResourceLimits.Controller, in root: HostPath) -> Bool {
        let switches = root / "cgroup.subtree_control"
        if ControlGroupTree.words(switches).contains(Substring(controller.rawValue)) { return true }
        return (try? ControlGroupTree.write("+\(controller.rawValue)", to: switches)) != nil
    }

    private static func setting(
        _ controller: ResourceLimits.Controller, _ value: Int64
    ) -> (file: String, text: String) {
        switch controller {
        case .memory: ("memory.max", "\(value)")
        case .cpu: ("cpu.max", "\(value) \(ResourceLimits.period)")
        case .pids: ("pids.max", "\(value)")
        }
    }

    private static func legacySettings(
        _ controller: ResourceLimits.Controller, _ value: Int64
    ) -> [(file: String, text: String)] {
        switch controller {
        case .memory: [("memory.limit_in_bytes", "\(value)")]
        case .cpu: [("cpu.cfs_period_us", "\(ResourceLimits.period)"), ("cpu.cfs_quota_us", "\(value)")]
        case .pids: [("pids.max", "\(value)")]
        }
    }

    // MARK: - Who is in it

    /// The processes in it.
    package func processes() -> [pid_t] {
        Set(directories.flatMap { ControlGroupTree.processes(ControlGroupTree.words($0 / "cgroup.procs")) })
            .sorted()
    }

    /// Ends all that is in it by force, also what forks meanwhile; false where the kernel cannot (before Linux 5.14).
    package func kill() -> Bool {
        guard let unified else { return false }
        return (try? ControlGroupTree.write("1", to: unified / "cgroup.kill")) != nil
    }

    /// Stops or continues all that is in it; false where the kernel cannot.
    @discardableResult
    package func freeze(_ on: Bool) -> Bool {
        guard let unified else { return false }
        return (try? ControlGroupTree.write(on ? "1" : "0", to: unified / "cgroup.freeze")) != nil
    }

    /// Whether all that is in it stands still.
    package var isFrozen: Bool {
        guard let unified else { return false }
        let words = ControlGroupTree.words(unified / "cgroup.events")
        return words.firstIndex(of: "frozen").map { $0 + 1 < words.count && words[$0 + 1] == "1" } ?? false
    }

    /// What lets go of it again when "0" is written there; `nil` where the kernel cannot freeze.
    func openFreezer() -> FileDescriptor? {
        guard let unified else { return nil }
        return try? FileDescriptor.open(unified / "cgroup.freeze", O_WRONLY)
    }

    /// Removes it; false when somebody is in it.
    @discardableResult
    package func remove() -> Bool {
        directories.count { rmdir($0.rawValue) == 0 || errno == ENOENT } == directories.count
    }

    // MARK: - Use

    /// What it has used of the processor, in microseconds; `nil` when it is not counted.
    package var processorTime: Int64? {
        guard let unified else { return nil }
        let words = ControlGroupTree.words(unified / "cpu.stat")
        return words.firstIndex(of: "usage_usec").flatMap {
            $0 + 1 < words.count ? Int64(words[$0 + 1]) : nil
        }
    }

    /// Bytes of memory in use; `nil` when they are not counted.
    package var memory: Int64? {
        let files =
            (unified.map { [$0 / "memory.current"] } ?? []) + legacy.map { $0 / "memory.usage_in_bytes" }
        return files.lazy.compactMap { ControlGroupTree.words($0).first.flatMap { Int64($0) } }.first
    }

    // MARK: - Going in

    /// Opens it for a child that is to be born into it.
    package func openEntry() -> ControlGroupEntry {
        ControlGroupEntry(
            directory: unified.map { open($0.rawValue, O_RDONLY | O_DIRECTORY | O_CLOEXEC) } ?? -1,
            memberships: legacy.map { open(($0 / "cgroup.procs").rawValue, O_WRONLY | O_CLOEXEC) })
    }

    /// Opens what is needed to look after it from inside another root.
    package func keep() -> KeptControlGroup {
        KeptControlGroup(
            directories.map { path in
                (
                    open(path.parent.rawValue, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                    RawString(path.lastComponent)
                )
            })
    }
}

/// A control group that a child goes into while it is forked.
package struct ControlGroupEntry: ~Copyable {
    /// Owned by this value; -1 without a version 2 group.
    package let directory: Int32
    /// The lists of version 1 that a child writes itself into, owned by this value.
    package let memberships: [Int32]

    init(directory: Int32, memberships: [Int32]) {
        self.directory = directory
        self.memberships = memberships
    }

    /// No group.
    package init() { self.init(directory: -1, memberships: []) }

    deinit { for descriptor in memberships + [directory] where descriptor >= 0 { close(descriptor) } }
}

/// A control group as its holder sees it, wherever that has its root.
package struct KeptControlGroup: ~Copyable {
    private let places: [(root: Int32, name: RawString)]

    init(_ places: [(root: Int32, name: RawString)]) { self.places = places }

    /// No group.
    package init() { self.init([]) }

    deinit { for place in places where place.root >= 0 { close(place.root) } }

    /// The descriptors that this value owns.
    package var descriptors: [Int32] { places.map(\.root) }

    /// Whether there is one.
    package var exists: Bool { !places.isEmpty }

    /// The processes in it, by their numbers here.
    package func processes() -> [pid_t] {
        var pids: Set<pid_t> = []
        for (root, name) in places {
            let path = RawString("\(name.text)/cgroup.procs")
            let descriptor = path.withCString { openat(root, $0, O_RDONLY | O_CLOEXEC) }
            guard descriptor >= 0,
                let bytes = try? FileDescriptor(adopting: descriptor).readAll(limit: 1 << 24)
            else { continue }
            pids.formUnion(ControlGroupTree.processes(ControlGroupTree.words(in: bytes)))
        }
        return pids.sorted()
    }

    /// Removes it, unless somebody is in it.
    package func remove() {
        for (root, name) in places { _ = name.withCString { unlinkat(root, $0, AT_REMOVEDIR) } }
    }
}

/// Limits that cannot be had.
package enum ControlGroupError: UserFacing, Equatable {
    case missing(ResourceLimits.Controller)
    case refused(ResourceLimits.Controller, SystemError)

    package var message: String {
        switch self {
        case .missing(let controller):
            "\(controller.option) cannot be had: this machine has no control group for \(controller.rawValue)"
        case .refused(let controller, let error):
            "\(controller.option) cannot be had: \(error.message)"
        }
    }

    package var hint: String? {
        switch self {
        case .missing(let controller):
            "The kernel needs the \(controller.rawValue) controller, mounted below /sys/fs/cgroup; or leave \(controller.option) out."
        case .refused(let controller, _): "Leave \(controller.option) out, or give another value."
        }
    }
}
