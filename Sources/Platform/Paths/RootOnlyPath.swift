import Libc

/// A path of which root alone decides what is found there.
///
/// That is so when every directory on the way and the file itself belong to root and nobody else may write to them.
/// An access control list that lets somebody else write shows in the group's bits (acl(5)), so the mode tells.
package enum RootOnlyPath {
    /// Why somebody else has a say.
    package enum Flaw: UserFacing, Hashable {
        case owner(HostPath, uid_t)
        case writable(HostPath, mode_t)
        case link(HostPath)
        case kind(HostPath)
        case unreadable(HostPath, SystemError)

        package var message: String {
            switch self {
            case .owner(let path, let uid): "\(path) belongs to user \(uid) and not to root"
            case .writable(let path, let mode):
                "\(path) can be written by others than root (mode \(String(mode, radix: 8)))"
            case .link(let path): "\(path) is a symbolic link"
            case .kind(let path): "\(path) is not what it should be"
            case .unreadable(let path, let error): "\(path): \(error.reason)"
            }
        }

        package var hint: String? {
            switch self {
            case .owner(let path, _), .writable(let path, _):
                "Correct it with: chown root \(ShellWords.quote(path.rawValue)) && "
                    + "chmod go-w \(ShellWords.quote(path.rawValue))"
            case .link, .kind, .unreadable: nil
            }
        }
    }

    /// Looks at each component from `/` down; `kind` is what the last one has to be.
    package static func check(_ path: HostPath, _ kind: FileStatus.Kind) throws {
        var place: HostPath = "/"
        var directory = try open(place)
        try judge(place, try directory.status(), .directory)
        let names = path.absolute.rawValue.split(separator: "/")
        for (number, name) in names.enumerated() {
            place = place / String(name)
            let isLast = number == names.count - 1
            try judge(
                place, try status(RawString(String(name)), in: directory, place), isLast ? kind : .directory)
            if !isLast { directory = try open(RawString(String(name)), in: directory, place) }
        }
    }

    private static func judge(_ place: HostPath, _ status: FileStatus, _ kind: FileStatus.Kind) throws(Flaw) {
        if status.kind == .symbolicLink { throw .link(place) }
        if status.owner != 0 { throw .owner(place, status.owner) }
        if status.permissions & 0o022 != 0 { throw .writable(place, status.permissions) }
        if status.kind != kind { throw .kind(place) }
    }

    // One call each, so that the kernel's refusal is told of the right place.

    private static func open(_ place: HostPath) throws(Flaw) -> Directory {
        do { return try Directory.open(place) } catch { throw .unreadable(place, error) }
    }

    private static func open(
        _ name: RawString, in directory: borrowing Directory, _ place: HostPath
    ) throws(Flaw) -> Directory {
        do { return try directory.openDirectory(name) } catch { throw .unreadable(place, error) }
    }

    private static func status(
        _ name: RawString, in directory: borrowing Directory, _ place: HostPath
    ) throws(Flaw) -> FileStatus {
        do { return try directory.status(name) } catch { throw .unreadable(place, error) }
    }
}
