import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("The accounts of a guest")
struct GuestAccountsTests {
    private static let accounts = GuestAccounts(
        users: AccountFile.users(
            Array(
                "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:100:U:/home/user:\n42:x:7:7::/odd:/bin/odd\nnohome:x:9:9:::/bin/sh\n"
                    .utf8)),
        groups: AccountFile.groups(
            Array(
                "root:x:0:\nusers:x:100:user\nwheel:x:10:root,user\naudio:x:29:user,other\ndup:x:29:user\n77:x:8:\n"
                    .utf8)))

    @Test(
        "resolve every way to name a user",
        arguments: [
            ("root", "0:0 10 root /root /bin/bash"), ("user", "1000:100 10,29 user /home/user /bin/sh"),
            ("1000", "1000:100 10,29 user /home/user /bin/sh"), ("0", "0:0 10 root /root /bin/bash"),
            ("5555", "5555:5555  5555 / /bin/sh"), ("user:wheel", "1000:10  user /home/user /bin/sh"),
            ("user:5", "1000:5  user /home/user /bin/sh"), ("5555:audio", "5555:29  5555 / /bin/sh"),
            ("1000:1000", "1000:1000  user /home/user /bin/sh"), ("nohome", "9:9  nohome / /bin/sh"),
            // A name wins over the number that it spells.
            ("42", "7:7  42 /odd /bin/odd"), ("root:77", "0:8  root /root /bin/bash"),
        ] as [(String, String)])
    func identity(of text: String, is expected: String) throws {
        let identity = try Self.accounts.identity(text)
        let groups = identity.supplementary.map(String.init).joined(separator: ",")
        let found =
            "\(identity.uid):\(identity.gid) \(groups) \(identity.name.text) \(identity.home.text) \(identity.shell.text)"
        #expect(found == expected)
    }

    @Test(
        "refuse what names nobody",
        arguments: [
            ("", .malformed("")), (":", .malformed(":")), ("root:", .malformed("root:")),
            (":root", .malformed(":root")),
            ("ghost", .noUser("ghost")), ("root:ghost", .noGroup("ghost")), ("-1", .noUser("-1")),
            ("4294967295", .noUser("4294967295")), ("4294967296", .noUser("4294967296")),
            ("+1", .noUser("+1")),
            ("root:4294967295", .noGroup("4294967295")), ("user:a:b", .noGroup("a:b")),
        ] as [(String, AccountError)])
    func refuses(_ text: String, with error: AccountError) {
        #expect(throws: error) { try Self.accounts.identity(text) }
    }

    @Test("know root without any file")
    func empty() throws {
        let identity = try GuestAccounts(users: [], groups: []).identity("root")
        #expect(identity.uid == 0 && identity.home == "/root" && identity.shell == "/bin/sh")
    }

    @Test(
        "read hostile files as empty, and never wait or look outside", .scratch, .needsRoot,
        arguments: [
            "mkfifo", "mkdir", "ln -s /etc/passwd", "ln -s ../../../../etc/passwd",
            "ln -s /proc/self/environ", "mknod -m 666",
        ])
    func hostile(_ how: String) throws {
        let path = Scratch.path / "etc/passwd"
        try Run.shell("mkdir $1/etc", Scratch.path.rawValue)
        try Run.shell(how + " $1" + (how.hasPrefix("mknod") ? " c 1 5" : ""), path.rawValue)
        let accounts = GuestAccounts(of: Rootfs(adopting: try Directory.open(Scratch.path)))
        #expect(accounts.users.isEmpty)
    }

    @Test("keep what is well-formed in a file full of dirt", .scratch)
    func dirt() throws {
        try Run.shell(
            "mkdir $1/etc; printf 'bad\\n\\n::::::\\nok:x:5:6::/h:/s\\nneg:x:-1:0::/:/\\nbig:x:4294967295:0::/:/\\n\\377:x:8:8::/:/\\n' >$1/etc/passwd",
            Scratch.path.rawValue)
        let accounts = GuestAccounts(of: Rootfs(adopting: try Directory.open(Scratch.path)))
        #expect(try accounts.identity("ok").gid == 6)
        #expect(throws: AccountError.self) { try accounts.identity("neg") }
        #expect(throws: AccountError.self) { try accounts.identity("big") }
    }
}

@Suite("Files that a guest gets")
struct GuestFilesTests {
    private static let mark = "# Written by chroot-distro; remove this line to keep your own.\n"

    @Test(
        "name the host's servers, those behind a stub first",
        arguments: [
            (["nameserver 192.0.2.1\n"], "nameserver 192.0.2.1\n"),
            (
                ["nameserver 127.0.0.53\noptions edns0\nsearch lan\n", "nameserver 192.0.2.7\n"],
                "nameserver 192.0.2.7\noptions edns0\nsearch lan\n"
            ),
            (["nameserver 127.0.0.53\n"], "nameserver 127.0.0.53\n"),
            (["nameserver ::1\nnameserver fe80::1%eth0\n"], "nameserver fe80::1%eth0\n"),
            ([], "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"),
            (["; nothing\nnameserver\n# nameserver 1.1.1.1\n"], "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"),
            (["nameserver 1.1.1.1\nnameserver 1.1.1.1\n", "nameserver 2.2.2.2\n"], "nameserver 1.1.1.1\n"),
            (["nameserver\t9.9.9.9\nsearch a\u{1b}b\n"], "nameserver 9.9.9.9\n"),
        ] as [([String], String)])
    func resolver(from sources: [String], is expected: String) {
        #expect(GuestFiles.resolverConfiguration(from: sources) == Self.mark + expected)
    }

    @Test(
        "replace links and FIFOs in their place, and never follow them", .scratch, .needsRoot,
        arguments: [
            "ln -s $2 $1/etc/resolv.conf", "mkfifo $1/etc/resolv.conf", "mkdir $1/etc/resolv.conf", "true",
        ])
    func replaces(_ how: String) throws {
        let canary = Scratch.path / "canary"
        try Run.shell(
            "mkdir -p $1/etc; echo keep >$2; " + how, (Scratch.path / "root").rawValue, canary.rawValue)
        let rootfs = Rootfs(adopting: try Directory.open(Scratch.path / "root"))
        _ = try GuestFiles.install(in: rootfs, resolver: Self.mark + "nameserver 192.0.2.1\n")
        #expect(try Run.succeeding("cat", [canary.rawValue]) == "keep\n")
        #expect(
            try Run.succeeding("cat", [(Scratch.path / "root/etc/resolv.conf").rawValue]).hasSuffix(
                "192.0.2.1\n"))
    }

    @Test("follow the host only while the guest has not made them its own", .scratch)
    func refresh() throws {
        try Run.shell(
            "mkdir $1/etc; printf '%s' \"$2\" >$1/etc/resolv.conf", Scratch.path.rawValue,
            Self.mark + "nameserver 1.1.1.1\n")
        let rootfs = Rootfs(adopting: try Directory.open(Scratch.path))
        GuestFiles.refresh(in: rootfs, resolver: Self.mark + "nameserver 2.2.2.2\n")
        #expect(
            try rootfs.readFile("/etc/resolv.conf", limit: 999)
                == Array((Self.mark + "nameserver 2.2.2.2\n").utf8))
        try rootfs.replaceFile("/etc/resolv.conf", with: Array("nameserver 3.3.3.3\n".utf8))
        GuestFiles.refresh(in: rootfs, resolver: Self.mark + "nameserver 2.2.2.2\n")
        #expect(try rootfs.readFile("/etc/resolv.conf", limit: 999) == Array("nameserver 3.3.3.3\n".utf8))
    }
}
