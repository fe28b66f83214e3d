import OCI
import Platform

/// What a name in a backup means.
///
/// `NAME/manifest.json` and `NAME/rootfs/...` are what this program and the Python programs write; an increment has
/// `NAME/changes/...` instead of the tree, since it is none. `installed-rootfs/NAME/...`, with a plug-in script beside
/// it, is what proot-distro wrote before.
enum BackupMember: Equatable {
    case manifest
    /// Something in the root file system.
    case tree(GuestPath)
    /// What an increment says of itself.
    case increment
    /// Something that was changed or added in the root file system.
    case change(GuestPath)
    /// The index of all files, which an increment has at its end.
    case files
    /// The directory of the container itself.
    case top
    /// Nothing that belongs to a container.
    case other

    /// The name of the container that it belongs to, as it is written there, and what it is.
    static func read(_ name: RawString) -> (container: RawString, member: BackupMember)? {
        let path = GuestPath(name).clamped.components
        guard let first = path.first else { return nil }
        let rest = Array(path.dropFirst())
        if first == "installed-rootfs", !isOfToday(rest) {
            guard let container = rest.first else { return nil }
            return (container, .tree(GuestPath(components: Array(rest.dropFirst()))))
        }
        if first == "proot-distro", rest.isEmpty || rest.count == 1 && isScript(rest[0]) { return nil }
        switch rest.first {
        case nil: return (first, .top)
        case "manifest.json" where rest.count == 1: return (first, .manifest)
        case "increment" where rest.count == 1: return (first, .increment)
        case "files" where rest.count == 1: return (first, .files)
        case "rootfs": return (first, .tree(GuestPath(components: Array(rest.dropFirst()))))
        case "changes": return (first, .change(GuestPath(components: Array(rest.dropFirst()))))
        default: return (first, .other)
        }
    }

    /// Whether an archive is an increment, by its first names.
    static func isIncrement(_ names: [RawString]) -> Bool {
        guard let first = names.first.flatMap({ read($0) }), first.member == .increment else { return false }
        return names.contains { name in
            if case .change? = read(name)?.member { return true }
            return false
        }
    }

    /// Whether that is what a container called `installed-rootfs` has below its name.
    ///
    /// A container of proot-distro that has one of these names is taken for it; nobody has heard of one.
    private static func isOfToday(_ rest: [RawString]) -> Bool {
        switch rest.first {
        case "rootfs", "changes": true
        case "manifest.json", "increment", "files": rest.count == 1
        default: false
        }
    }

    private static func isScript(_ name: RawString) -> Bool { name.bytes.suffix(3).elementsEqual(".sh".utf8) }
}
