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
