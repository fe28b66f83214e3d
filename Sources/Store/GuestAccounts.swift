import Libc
import Platform

/// The accounts of a guest, read from its own files and never changed.
package struct GuestAccounts: Sendable {
    package let users: [AccountFile.User]
    package let groups: [AccountFile.Group]

    package init(users: [AccountFile.User], groups: [AccountFile.Group]) {
        self.users = users
        self.groups = groups
    }

    private static let limit = 4 << 20

    /// Reads `/etc/passwd` and `/etc/group`; what is missing, no regular file or too large reads as empty.
    package init(of rootfs: borrowing Rootfs) {
        let passwd = (try? rootfs.readFile("/etc/passwd", limit: Self.limit)) ?? []
        let group = (try? rootfs.readFile("/etc/group", limit: Self.limit)) ?? []
        self.init(users: AccountFile.users(passwd), groups: AccountFile.groups(group))
    }

    /// Who a session runs as.
    package struct Identity: Hashable, Sendable {
        package let uid: uid_t
        package let gid: gid_t
        /// Without the primary group.
        package let supplementary: [gid_t]
        package let name: RawString
        package let home: RawString
        package let shell: RawString
    }

    /// Resolves `name`, `uid`, `name:group` or `uid:gid`.
    ///
    /// A numeric uid needs no account; then its group is the same number and its home is `/`. With an explicit group
    /// there are no others, as in the image specification.
    package func identity(_ text: String) throws(AccountError) -> Identity {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard !parts[0].isEmpty, parts.count < 2 || !parts[1].isEmpty else { throw .malformed(text) }
        let name = RawString(parts[0])
        let account =
            users.first { $0.name == name }
            ?? AccountFile.number(name).flatMap { id in users.first { $0.uid == id } }
        let number = AccountFile.number(name)
        guard let uid = account?.uid ?? number ?? (parts[0] == "root" ? 0 : nil) else {
            throw .noUser(parts[0])
        }
        let explicit = parts.count > 1 ? try group(parts[1]) : nil
        let gid = explicit ?? account?.gid ?? uid
        let member = account?.name ?? name
        let others =
            explicit != nil ? [] : groups.filter { $0.members.contains(member) && $0.gid != gid }.map(\.gid)
        var supplementary: [gid_t] = []
        for group in others.sorted() where group != supplementary.last { supplementary.append(group) }
        return Identity(
            uid: uid, gid: gid, supplementary: supplementary, name: member,
            home: account.map { $0.home.bytes.isEmpty ? "/" : $0.home } ?? (uid == 0 ? "/root" : "/"),
            shell: account.map { $0.shell.bytes.isEmpty ? "/bin/sh" : $0.shell } ?? "/bin/sh")
    }

    private func group(_ text: String) throws(AccountError) -> gid_t {
        if let found = groups.first(where: { $0.name == RawString(text) }) { return found.gid }
        guard let number = AccountFile.number(RawString(text)) else { throw .noGroup(text) }
        return number
    }
}

/// A user or group that the guest does not have.
package enum AccountError: UserFacing, Equatable {
    case malformed(String)
    case noUser(String)
    case noGroup(String)

    package var message: String {
        switch self {
        case .malformed(let text): "--user \(Quoted(text)) names no user"
        case .noUser(let name): "the container has no user \(Quoted(name))"
        case .noGroup(let name): "the container has no group \(Quoted(name))"
        }
    }

    package var hint: String? {
        switch self {
        case .malformed: "Use a name, a uid, name:group or uid:gid."
        case .noUser, .noGroup: "Use a name from its /etc/passwd and /etc/group, or a number."
        }
    }
}
