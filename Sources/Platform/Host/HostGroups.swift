import Libc

/// The groups of this host, as its C library finds them (getgrnam(3)).
package enum HostGroups {
    package static func group(named name: RawString) -> AccountFile.Group? {
        var size = 16384
        while size <= 1 << 22 {
            var entry = group_()
            var result: UnsafeMutablePointer<group_>?
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let code = name.withCString { getgrnam_r($0, &entry, buffer, size, &result) }
            if code == ERANGE || code == EINTR {
                size *= code == ERANGE ? 4 : 1
                continue
            }
            guard code == 0, result != nil else { return nil }
            return AccountFile.Group(name: name, gid: entry.gr_gid, members: members(of: entry))
        }
        return nil
    }

    /// The C structure has the name that the function above has in its own scope.
    private typealias group_ = Libc.group

    private static func members(of entry: group_) -> [RawString] {
        var members: [RawString] = []
        var next = entry.gr_mem
        while let member = next?.pointee {
            members.append(RawString(cString: member))
            next = next?.successor()
        }
        return members
    }
}
