import Libc
import Platform
import TestSupport
import Testing

@testable import Store

@Suite("Android's accounts in a container")
struct AndroidAccountsTests {
    private let accounts = AndroidAccounts(userName: "u0_a123", user: 10123, homeGroup: 10124)

    private static let debian = AndroidAccounts.Files(
        passwd: "root:x:0:0:root:/root:/bin/bash\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n",
        group: "root:x:0:\ndaemon:x:1:\n", shadow: "root:*:19000:0:99999:7:::\n",
        gshadow: "root:*::\n")

    @Test("let root and apt use the network, and have names for the app and Termux's home")
    func debian() {
        let files = accounts.adding(to: Self.debian)
        let groups = Set(files.group.split(separator: "\n"))
        #expect(groups.isSuperset(of: ["root:x:0:", "daemon:x:1:"]))
        #expect(groups.isSuperset(of: ["aid_inet:x:3003:root,_apt", "aid_net_raw:x:3004:root,_apt"]))
        #expect(groups.isSuperset(of: ["aid_audio:x:1005:root", "termux:x:10124:", "aid_u0_a123:x:10123:"]))
        let users = Set(files.passwd.split(separator: "\n"))
        #expect(
            users == [
                "root:x:0:0:root:/root:/bin/bash", "_apt:x:42:3003::/nonexistent:/usr/sbin/nologin",
                "aid_u0_a123:x:10123:10123::/:/usr/sbin/nologin",
            ])
        #expect(files.shadow?.contains("\naid_u0_a123:*:") == true)
        #expect(files.gshadow?.contains("\naid_inet:*::root,_apt\n") == true)
        // A line for each group in both files, and no name twice.
        let names = files.group.split(separator: "\n").map { $0.prefix { $0 != ":" } }
        #expect(Set(names).count == names.count)
        #expect(files.gshadow?.split(separator: "\n").count == names.count - 1)
    }

    @Test("change nothing when they are there already")
    func twice() {
        let once = accounts.adding(to: Self.debian)
        #expect(accounts.adding(to: once) == once)
    }

    @Test(
        "leave alone what the image calls by these names, and do without shadow files and a last line's end")
    func others() {
        let files = AndroidAccounts.Files(
            passwd: "root:x:0:0:root:/root:/bin/sh", group: "root:x:0:\naid_inet:x:77:me", shadow: nil,
            gshadow: nil)
        let new = accounts.adding(to: files)
        #expect(new.group.hasPrefix("root:x:0:\naid_inet:x:77:me\naid_net_raw:x:3004:root\n"))
        #expect(new.passwd.hasPrefix("root:x:0:0:root:/root:/bin/sh\naid_u0_a123:"))
        #expect(new.shadow == nil && new.gshadow == nil)
    }

    @Test(
        "are written into a root with owner, mode and times as they were, and never through a link", .scratch)
    func install() throws {
        try Run.shell(
            """
            cd $1; mkdir -p root/etc; echo 'root:x:0:0::/root:/bin/sh' >root/etc/passwd
            echo 'root:x:0:' >root/etc/group; echo 'root:*:1::::::' >outside; ln -s ../../outside root/etc/shadow
            chmod 640 root/etc/group; touch -d @1000000000 root/etc
            """, Scratch.path.rawValue)
        try accounts.install(in: Rootfs(adopting: try Directory.open(Scratch.path / "root")))
        let found = try Run.shell(
            "cd $1/root/etc; grep -c aid_ passwd group; stat -c '%a %Y' group . | tr '\\n' ' '; cat ../../outside",
            Scratch.path.rawValue)
        #expect(found.hasPrefix("passwd:1\ngroup:14\n640 "), "\(found)")
        #expect(found.contains(" 1000000000 root:*:1::::::\n"), "\(found)")
    }

    @Test("are not given to a root that has no accounts", .scratch)
    func none() throws {
        try accounts.install(in: Rootfs(adopting: try Directory.open(Scratch.path)))
        #expect(try Run.succeeding("ls", ["-A", Scratch.path.rawValue]).isEmpty)
    }
}
