import Libc
import Platform

/// Accounts by which Android's kernels decide who may use the network, sound, graphics and storage.
///
/// A container on Android gets them at its installation, so that programs inside can name them; what is there already
/// stays as it is.
package struct AndroidAccounts: Sendable {
    /// The app's user on the host, such as `u0_a123` and 10123.
    package let userName: String
    package let user: uid_t
    /// The group that owns Termux's home.
    package let homeGroup: gid_t

    package init(userName: String, user: uid_t, homeGroup: gid_t) {
        self.userName = userName
        self.user = user
        self.homeGroup = homeGroup
    }

    /// android_filesystem_config.h.
    private static let groups: [(name: String, gid: gid_t)] = [
        ("aid_inet", 3003), ("aid_net_raw", 3004), ("aid_bluetooth", 1002), ("aid_graphics", 1003),
        ("aid_input", 1004), ("aid_audio", 1005), ("aid_video", 1006), ("aid_drm", 1007), ("aid_wifi", 1010),
        ("aid_usb", 1018), ("aid_bt_admin", 3001), ("aid_bt_net", 3002), ("aid_admin", 3005),
    ]
    private static let networkGroups: Set<String> = ["aid_inet", "aid_net_raw"]

    /// The four files of a guest, as text.
    package struct Files: Equatable, Sendable {
        package var passwd: String
        package var group: String
        /// `nil` where there is none.
        package var shadow: String?
        package var gshadow: String?

        package init(passwd: String, group: String, shadow: String?, gshadow: String?) {
            self.passwd = passwd
            self.group = group
            self.shadow = shadow
            self.gshadow = gshadow
        }
    }

    /// The files with the accounts in them; applied twice it changes nothing more.
    package func adding(to files: Files) -> Files {
        var result = files
        let hasAPT = Self.names(files.passwd).contains("_apt")
        for (name, gid) in Self.groups {
            let members = ["root"] + (hasAPT && Self.networkGroups.contains(name) ? ["_apt"] : [])
            addGroup(name, gid, members, to: &result)
        }
        addGroup("termux", homeGroup, [], to: &result)
        let own = "aid_\(userName)"
        addGroup(own, gid_t(user), [], to: &result)
        if !Self.names(result.passwd).contains(own) {
            Self.append("\(own):x:\(user):\(user)::/:/usr/sbin/nologin", to: &result.passwd)
            if var shadow = result.shadow {
                Self.append("\(own):*:18446:0:99999:7:::", to: &shadow)
                result.shadow = shadow
            }
        }
        // apt gives up root before it opens a socket: its own user must be allowed to.
        result.passwd = Self.changing("_apt", in: result.passwd) { $0[3] = "3003" }
        return result
    }

    private func addGroup(_ name: String, _ gid: gid_t, _ members: [String], to files: inout Files) {
        guard !Self.names(files.group).contains(name) else { return }
        let list = members.joined(separator: ",")
        Self.append("\(name):x:\(gid):\(list)", to: &files.group)
        if var gshadow = files.gshadow {
            Self.append("\(name):*::\(list)", to: &gshadow)
            files.gshadow = gshadow
        }
    }

    private static func names(_ text: String) -> Set<String> {
        Set(text.split(separator: "\n").map { String($0.prefix { $0 != ":" }) })
    }

    private static func append(_ line: String, to text: inout String) {
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        text += line + "\n"
    }

    private static func changing(_ name: String, in text: String, _ change: (inout [String]) -> Void)
        -> String
    {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 7, fields[0] == name else { return String(line) }
            change(&fields)
            return fields.joined(separator: ":")
        }.joined(separator: "\n")
    }

    // MARK: - In a new container

    private static let limit = 4 << 20

    /// Adds the accounts to a new container; one without the files is left as it is.
    package func install(in rootfs: borrowing Rootfs) throws(SystemError) {
        guard let passwd = read("/etc/passwd", in: rootfs), let group = read("/etc/group", in: rootfs) else {
            return
        }
        let old = Files(
            passwd: passwd, group: group, shadow: read("/etc/shadow", in: rootfs),
            gshadow: read("/etc/gshadow", in: rootfs))
        let new = adding(to: old)
        try write("/etc/passwd", new.passwd, over: old.passwd, in: rootfs)
        try write("/etc/group", new.group, over: old.group, in: rootfs)
        try write("/etc/shadow", new.shadow, over: old.shadow, in: rootfs)
        try write("/etc/gshadow", new.gshadow, over: old.gshadow, in: rootfs)
    }

    private func read(_ path: GuestPath, in rootfs: borrowing Rootfs) -> String? {
        guard let bytes = try? rootfs.readFile(path, limit: Self.limit) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Keeps owner and mode: nobody who could not read a file may do so afterwards.
    private func write(
        _ path: GuestPath, _ new: String?, over old: String?, in rootfs: borrowing Rootfs
    ) throws(SystemError) {
        guard let new, new != old, let status = try rootfs.status(path) else { return }
        let place = try rootfs.openParent(path)
        try place.directory.keepingTime { () throws(SystemError) in
            try place.directory.replaceFile(
                place.name, with: Array(new.utf8), mode: status.permissions,
                owner: (status.owner, status.group), durable: false)
        }
    }
}
