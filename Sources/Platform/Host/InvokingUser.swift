import Libc

/// The person behind a command that now runs as root.
package struct InvokingUser: Hashable, Sendable {
    package let uid: uid_t
    /// `nil` when no account has the uid.
    package let name: RawString?
    /// The home by the accounts; `nil` when no account has the uid.
    package let home: RawString?

    package init(uid: uid_t, name: RawString?, home: RawString?) {
        self.uid = uid
        self.name = name
        self.home = home
    }

    /// What tells the accounts apart, for tests to replace.
    package struct Accounts {
        package var byName: (RawString) -> AccountFile.User?
        package var byID: (uid_t) -> AccountFile.User?

        package init(
            byName: @escaping (RawString) -> AccountFile.User?, byID: @escaping (uid_t) -> AccountFile.User?
        ) {
            self.byName = byName
            self.byID = byID
        }

        package static var host: Accounts {
            Accounts(byName: HostUsers.user(named:), byID: HostUsers.user(withID:))
        }
    }

    /// Who called: what sudo, doas or pkexec left in the environment of a root process, else the real uid.
    ///
    /// Anybody can set those variables, so a process that is not root does not believe them.
    package static func resolve(
        _ environment: Environment, realUID: uid_t, effectiveUID: uid_t, accounts: Accounts = .host
    ) -> InvokingUser {
        let uid = effectiveUID == 0 ? declaredUID(environment, accounts: accounts) ?? realUID : realUID
        let account = accounts.byID(uid)
        return InvokingUser(uid: uid, name: account?.name, home: account?.home)
    }

    /// The uid that an elevation tool says it was called by.
    package static func declaredUID(_ environment: Environment, accounts: Accounts = .host) -> uid_t? {
        if let uid = environment["SUDO_UID"].flatMap(AccountFile.number) { return uid }
        for variable in ["SUDO_USER", "DOAS_USER"] as [RawString] {
            if let name = environment[variable], let user = accounts.byName(name) { return user.uid }
        }
        return environment["PKEXEC_UID"].flatMap(AccountFile.number)
    }
}
