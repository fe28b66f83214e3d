import Archive
import Libc
import Platform

/// What `copy` or `sync` was asked to do.
package struct CopyRequest: Hashable, Sendable {
    /// What becomes of what is there already, and of the source.
    package enum Manner: Hashable, Sendable {
        case copy(isRecursive: Bool)
        /// The source is removed when all of it has arrived.
        case move
        /// Only what differs, by size and time or by content; `deletes` what the source does not have.
        case sync(byContent: Bool, deletes: Bool)
    }

    package let source: FilePlace
    package let destination: FilePlace
    package let manner: Manner

    package init(_ manner: Manner, from source: FilePlace, to destination: FilePlace) throws(CopyError) {
        guard source.container != nil || destination.container != nil else {
            throw .noContainer(source, destination)
        }
        self.source = source
        self.destination = destination
        self.manner = manner
    }

    /// The containers that take part, each once, in the order in which they are to be locked.
    package var containers: [ContainerName] {
        Set([source.container, destination.container].compactMap { $0 }).sorted()
    }

    var isMove: Bool { manner == .move }

    var isSync: Bool { if case .sync = manner { true } else { false } }

    var deletes: Bool { if case .sync(_, true) = manner { true } else { false } }

    var comparesContent: Bool { if case .sync(true, _) = manner { true } else { false } }
}

/// Whose the copies are.
package struct OwnerRule: Hashable, Sendable {
    private let user: uid_t?
    private let group: gid_t?
    private let isCaller: Bool

    /// Everything stays its owner's.
    package static let kept = OwnerRule(user: nil, group: nil, isCaller: false)

    /// `--chown`; what is `nil` stays as it is.
    package static func given(user: uid_t?, group: gid_t?) -> OwnerRule {
        OwnerRule(user: user, group: group, isCaller: false)
    }

    /// What somebody copies to their own host is theirs, and brings no rights of the container along.
    package static func caller(user: uid_t, group: gid_t) -> OwnerRule {
        OwnerRule(user: user, group: group, isCaller: true)
    }

    var keepsAll: Bool { user == nil && group == nil }

    /// The owner of a directory that is made on the way; `nil` for the program's own.
    var ofParents: (uid_t, gid_t)? {
        guard isCaller, let user, let group else { return nil }
        return (user, group)
    }

    /// Changes an entry, as chown(2) does: a new owner's program is not set-user-ID, and has no capabilities.
    func apply(to entry: inout TarEntry) {
        guard !keepsAll else { return }
        let (oldUser, oldGroup) = (entry.owner, entry.group)
        entry.owner = user ?? entry.owner
        entry.group = group ?? entry.group
        if isCaller {
            entry.attributes.removeAll {
                $0.name.bytes.starts(with: Self.security) || $0.name.bytes.starts(with: Self.trusted)
            }
        }
        guard isCaller || entry.owner != oldUser || entry.group != oldGroup, entry.kind != .directory else {
            return
        }
        entry.permissions &= ~0o6000
        entry.attributes.removeAll { $0.name == "security.capability" }
    }

    private static let security = Array("security.".utf8)
    private static let trusted = Array("trusted.".utf8)
}
