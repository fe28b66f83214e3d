import Libc
import Platform

/// One step in building a container's tree of mounts.
package enum MountStep: Hashable, Sendable {
    /// A new instance of a kernel file system.
    case fileSystem(String, at: GuestPath, parameters: [Parameter], MountAttributes)
    /// A path of the host, seen in the container.
    case bind(BindSpec, required: Bool)
    case directory(GuestPath, mode: mode_t)
    case node(GuestPath, DeviceNode)
    case link(GuestPath, to: RawString)
    /// A file of the running container's own over whatever the image has there.
    case file(GuestFile)
    /// Whatever is there is covered by nothing at all; a path that is not there needs no cover.
    case mask(GuestPath)
    /// What is there stays visible and cannot be changed; a path that is not there is left alone.
    case seal(GuestPath)

    /// A word or `key=value` of a file system's own.
    package struct Parameter: Hashable, Sendable {
        package let key: String
        package let value: String?
        package init(_ key: String, _ value: String? = nil) {
            self.key = key
            self.value = value
        }
    }

    /// Where the step puts something.
    package var target: GuestPath {
        switch self {
        case .fileSystem(_, let target, _, _), .directory(let target, _), .node(let target, _),
            .link(let target, _), .mask(let target), .seal(let target):
            target
        case .file(let file): file.target
        case .bind(let spec, _): spec.target
        }
    }
}

/// All that is mounted into a container, in order: parents before what lies below them.
package struct MountPlan: Hashable, Sendable {
    package var steps: [MountStep]

    package init(_ steps: [MountStep] = []) { self.steps = steps }

    /// Everything that is bound, asked for or not.
    package var binds: [BindSpec] {
        steps.compactMap { step in if case .bind(let spec, _) = step { spec } else { nil } }
    }

    /// What a person asked for; two things that want one place exclude each other.
    package mutating func add(_ requests: [MountStep]) throws(BindError) {
        var placed: [GuestPath: MountStep] = [:]
        for request in requests {
            if let other = placed[request.target], other != request {
                guard case .bind(let bind, _) = request, case .bind(let first, _) = other else {
                    throw .twice(request.target)
                }
                try bind.requireSame(as: first)
            }
            placed[request.target] = request
        }
        // One that lies below another comes after it, in whatever order they were asked for.
        let ordered = requests.enumerated().sorted { left, right in
            let depths = (left.element.target.components.count, right.element.target.components.count)
            return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
        }
        for request in ordered.map(\.element) where placed.removeValue(forKey: request.target) != nil {
            // A person's wish replaces what would be mounted at or below its target.
            if request.isMount { steps.removeAll { $0.isReplaceable && $0.target.isWithin(request.target) } }
            steps.append(request)
        }
    }
}

extension MountStep {
    fileprivate var isMount: Bool {
        switch self {
        case .bind, .fileSystem: true
        default: false
        }
    }

    /// Whether a person's own wish may take its place.
    fileprivate var isReplaceable: Bool {
        switch self {
        case .bind(_, let required): !required
        case .fileSystem(let type, let target, _, _):
            type == "tmpfs" && (target == "/run" || target == "/tmp")
        default: false
        }
    }
}

/// A file that belongs to a running container and not to its image.
package struct GuestFile: Hashable, Sendable {
    package let target: GuestPath
    package let contents: [UInt8]
    /// What it says, in a few words; two files that say the same are the same.
    package let label: String

    package init(_ target: GuestPath, _ contents: [UInt8], label: String) {
        self.target = target
        self.contents = contents
        self.label = label
    }
}

/// A device node: what `mknod(2)` needs to know.
package struct DeviceNode: Hashable, Sendable {
    package let isBlock: Bool
    package let major: UInt32
    package let minor: UInt32
    package let permissions: mode_t
    package let owner: uid_t
    package let group: gid_t

    package init(
        isBlock: Bool = false, _ major: UInt32, _ minor: UInt32, permissions: mode_t = 0o666,
        owner: uid_t = 0,
        group: gid_t = 0
    ) {
        self.isBlock = isBlock
        self.major = major
        self.minor = minor
        self.permissions = permissions
        self.owner = owner
        self.group = group
    }

    /// The node as it stands on this host; `nil` when the file is not a device.
    package init?(_ status: FileStatus) {
        guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
        self.init(
            isBlock: status.kind == .blockDevice, status.major, status.minor, permissions: status.permissions,
            owner: status.owner, group: status.group)
    }
}
