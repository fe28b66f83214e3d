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
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(
            String.init)
        guard let source = parts.first, !source.isEmpty else { throw .noSource(text) }
        let target = parts.count > 1 && !parts[1].isEmpty ? parts[1] : HostPath(source).absolute.rawValue
        guard target.hasPrefix("/") else { throw .relativeTarget(text, target) }
        let path = GuestPath(target)
        guard !path.climbs else { throw .climbs(text, target) }
        guard !Self.isReserved(path) else { throw .reserved(text, target) }
        var options = BindOptions()
        for word in parts.count > 2 ? parts[2].split(separator: ",") : [] {
            guard let option = MountOption(rawValue: String(word)) else {
                throw .unknownOption(text, String(word))
            }
            option.apply(to: &options)
        }
        self.init(source: HostPath(source).absolute, target: path, options: options)
    }

    /// The same bind, showing files as whose they are.
    package var withPlainOwners: BindSpec {
        var options = options
        options.owners = nil
        return BindSpec(source: source, target: target, options: options)
    }

    /// Throws unless the other bind, at the same place, is this one.
    package func requireSame(as other: BindSpec) throws(BindError) {
        guard other.source == source else {
            throw .conflict(target: target, mounted: other.source, asked: source)
        }
        try requireSame(options: other.options.description)
    }

    /// Throws unless a bind from the same source has these options.
    package func requireSame(options mounted: String) throws(BindError) {
        guard mounted == options.description else {
            throw .otherOptions(target: target, mounted: mounted, asked: options.description)
        }
    }

    /// Whether the container's own system mounts cover that place.
    package static func isReserved(_ path: GuestPath) -> Bool {
        path.components.isEmpty || path == "/dev" || reserved.contains(where: path.isWithin)
    }

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
    /// Two different things were asked for in one place.
    case twice(GuestPath)
    /// The same bind is in place already, but with other options.
    case otherOptions(target: GuestPath, mounted: String, asked: String)

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
            "\(target) is already bound from \(mounted) in the container, so \(asked) cannot be bound there"
        case .twice(let target): "two different things are to be mounted on \(target)"
        case .otherOptions(let target, let mounted, let asked):
            "\(target) is already bound in the container with \(mounted), not with \(asked)"
        }
    }

    package var hint: String? {
        switch self {
        case .noSource, .relativeTarget, .climbs, .reserved:
            "Use --bind SRC[:DST[:OPTS]], DST being an absolute path."
        case .unknownOption:
            "Known options: " + MountOption.allCases.map(\.rawValue).joined(separator: " ")
        case .missingSource: "Make it first, or correct the path."
        case .twice: "Leave one of them out, or choose another path for it."
        case .conflict, .otherOptions: "Choose another path in the container, or stop the container first."
        }
    }
}
