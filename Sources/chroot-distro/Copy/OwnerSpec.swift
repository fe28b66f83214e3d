import CLI
import Libc
import Platform
import Store

/// Whom copies shall belong to, as `--chown` has it: `USER`, `USER:GROUP` or `:GROUP`, names or numbers.
struct OwnerSpec: Equatable {
    private let user: RawString?
    private let group: RawString?
    private let text: RawString

    /// Where names are looked up: the accounts of whoever gets the files.
    struct Accounts {
        let user: (RawString) -> AccountFile.User?
        let userByID: (uid_t) -> AccountFile.User?
        let group: (RawString) -> gid_t?

        static var host: Accounts {
            Accounts(
                user: HostUsers.user(named:), userByID: HostUsers.user(withID:),
                group: { HostGroups.group(named: $0)?.gid })
        }

        init(
            user: @escaping (RawString) -> AccountFile.User?,
            userByID: @escaping (uid_t) -> AccountFile.User?, group: @escaping (RawString) -> gid_t?
        ) {
            self.user = user
            self.userByID = userByID
            self.group = group
        }

        init(_ guest: GuestAccounts) {
            user = { name in guest.users.first { $0.name == name } }
            userByID = { id in guest.users.first { $0.uid == id } }
            group = { name in guest.groups.first { $0.name == name }?.gid }
        }
    }

    /// `nil` for a text that names nobody.
    init?(_ text: RawString) {
        let parts = text.bytes.split(
            separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false
        ).compactMap { RawString(bytes: $0) }
        guard let first = parts.first, parts.count == 1 || !parts[1].bytes.isEmpty,
            parts.count == 2 || !first.bytes.isEmpty
        else { return nil }
        user = first.bytes.isEmpty ? nil : first
        group = parts.count == 2 ? parts[1] : nil
        self.text = text
    }

    /// A user without a group gets the main group of the account.
    func rule(_ accounts: Accounts) throws(OwnerError) -> OwnerRule {
        let gid = try group.map { (name) throws(OwnerError) in try Self.group(name, accounts) }
        guard let user else { return .given(user: nil, group: gid) }
        let number = AccountFile.number(user)
        let account = accounts.user(user) ?? number.flatMap { accounts.userByID($0) }
        guard let uid = account?.uid ?? number else { throw .noUser(user) }
        guard let main = gid ?? account?.gid else { throw .noMainGroup(user) }
        return .given(user: uid, group: main)
    }

    private static func group(_ name: RawString, _ accounts: Accounts) throws(OwnerError) -> gid_t {
        guard let gid = accounts.group(name) ?? AccountFile.number(name) else { throw .noGroup(name) }
        return gid
    }

    static func == (left: OwnerSpec, right: OwnerSpec) -> Bool { left.text == right.text }
}

/// An owner that the destination does not know.
enum OwnerError: UserFacing, Equatable {
    case noUser(RawString)
    case noGroup(RawString)
    case noMainGroup(RawString)

    var message: String {
        switch self {
        case .noUser(let name): "--chown: the destination has no user \(name)"
        case .noGroup(let name): "--chown: the destination has no group \(name)"
        case .noMainGroup(let name): "--chown: no user of the destination has the number \(name)"
        }
    }

    var hint: String? {
        switch self {
        case .noUser, .noGroup: "Use a name from its passwd and group files, or a number."
        case .noMainGroup(let name): "Say which group it shall be: --chown \(name):GROUP"
        }
    }
}
