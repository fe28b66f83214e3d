import OCI
import Platform

/// What a name in a backup means.
///
/// `NAME/manifest.json` and `NAME/rootfs/...` are what this program and the Python programs write;
/// `installed-rootfs/NAME/...`, with a plug-in script beside it, is what proot-distro wrote before.
enum BackupMember: Equatable {
    case manifest
    /// Something in the root file system.
    case tree(GuestPath)
    /// The directory of the container itself.
    case top
    /// Nothing that belongs to a container.
    case other

    /// The name of the container that it belongs to, as it is written there, and what it is.
    static func read(_ name: RawString) -> (container: RawString, member: BackupMember)? {
        let path = GuestPath(name).clamped.components
        guard let first = path.first else { return nil }
        let rest = Array(path.dropFirst())
        if first == "installed-rootfs" {
            guard let container = rest.first else { return nil }
            return (container, .tree(GuestPath(components: Array(rest.dropFirst()))))
        }
        if first == "proot-distro", rest.isEmpty || rest.count == 1 && isScript(rest[0]) { return nil }
        switch rest.first {
        case nil: return (first, .top)
        case "manifest.json" where rest.count == 1: return (first, .manifest)
        case "rootfs": return (first, .tree(GuestPath(components: Array(rest.dropFirst()))))
        default: return (first, .other)
        }
    }

    private static func isScript(_ name: RawString) -> Bool { name.bytes.suffix(3).elementsEqual(".sh".utf8) }
}
