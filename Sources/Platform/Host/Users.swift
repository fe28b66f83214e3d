import Libc

/// The accounts of this host, as its C library finds them (getpwnam(3)).
package enum HostUsers {
    package static func user(named name: RawString) -> AccountFile.User? {
        lookUp { entry, buffer, size, result in
            name.withCString { getpwnam_r($0, entry, buffer, size, result) }
        }
    }

    package static func user(withID uid: uid_t) -> AccountFile.User? {
        lookUp { entry, buffer, size, result in getpwuid_r(uid, entry, buffer, size, result) }
    }

    private typealias Lookup = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func lookUp(_ call: Lookup) -> AccountFile.User? {
        var size = 4096
        while size <= 1 << 20 {
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let code = call(&entry, buffer, size, &result)
            if code == ERANGE || code == EINTR {
                size *= code == ERANGE ? 4 : 1
                continue
            }
            guard code == 0, result != nil, let name = entry.pw_name else { return nil }
            return AccountFile.User(
                name: RawString(cString: name), uid: entry.pw_uid, gid: entry.pw_gid,
                home: entry.pw_dir.map { RawString(cString: $0) } ?? "/",
                shell: entry.pw_shell.map { RawString(cString: $0) } ?? "")
        }
        return nil
    }
}

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
