import Platform

/// A bind that a person asked for: `SRC[:DST[:OPTS]]`.
package struct BindSpec: Hashable, Sendable {
    /// Absolute.
    package let source: HostPath
    package let target: GuestPath
    package let options: BindOptions

    package init(source: HostPath, target: GuestPath, options: BindOptions = BindOptions()) {
        self.source = source
        self.target = target
        self.options = options
    }

    /// Parses the text of one `--bind`; a relative source is taken against the working directory.
    package init(_ text: String) throws(BindError) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard let source = parts.first, !source.isEmpty else { throw .noSource(text) }
        let target = parts.count > 1 && !parts[1].isEmpty ? parts[1] : HostPath(source).absolute.rawValue
        guard target.hasPrefix("/") else { throw .relativeTarget(text, target) }
        let path = GuestPath(target)
        guard !path.climbs else { throw .climbs(text, target) }
        guard !path.components.isEmpty, !Self.reserved.contains(where: path.isWithin) else {
            throw .reserved(text, target)
        }
        var options = BindOptions()
        for word in parts.count > 2 ? parts[2].split(separator: ",") : [] {
            guard let option = MountOption(rawValue: String(word)) else { throw .unknownOption(text, String(word)) }
            option.apply(to: &options)
        }
        self.init(source: HostPath(source).absolute, target: path, options: options)
    }

    /// What the container's own system mounts cover.
    private static let reserved: [GuestPath] = ["/proc", "/sys", "/dev/pts", "/dev/shm"]
}

/// Why a bind cannot be.
package enum BindError: UserFacing, Equatable {
    case noSource(String)
    case relativeTarget(String, String)
    case climbs(String, String)
    case reserved(String, String)
    case unknownOption(String, String)
    case missingSource(HostPath)
    /// Another bind has the same target already.
    case conflict(target: GuestPath, mounted: HostPath, asked: HostPath)

    package var message: String {
        switch self {
        case .noSource(let text): "--bind \(Quoted(text)): there is no source path"
        case .relativeTarget(let text, let target):
            "--bind \(Quoted(text)): the path in the container, \(Quoted(target)), is not absolute"
        case .climbs(let text, let target): "--bind \(Quoted(text)): \(Quoted(target)) must not contain '..'"
        case .reserved(let text, let target):
            "--bind \(Quoted(text)): \(Quoted(target)) belongs to the container's own system mounts"
        case .unknownOption(let text, let word): "--bind \(Quoted(text)): unknown option \(Quoted(word))"
        case .missingSource(let source): "bind source \(source) does not exist on this host"
        case .conflict(let target, let mounted, let asked):
            "\(target) is already bound from \(mounted) in the running container, so \(asked) cannot be bound there"
        }
    }

    package var hint: String? {
        switch self {
        case .noSource, .relativeTarget, .climbs, .reserved: "Use --bind SRC[:DST[:OPTS]], DST being an absolute path."
        case .unknownOption:
            "Known options: " + MountOption.allCases.map(\.rawValue).joined(separator: " ")
        case .missingSource: "Make it first, or correct the path."
        case .conflict: "Choose another path in the container, or stop the container first."
        }
    }
}
