import Libc
import Platform
import Store
import Testing

@testable import chroot_distro

@Suite("The words of copy")
struct CopyRulesTests {
    private static var accounts: OwnerSpec.Accounts {
        OwnerSpec.Accounts(
            GuestAccounts(
                users: [
                    AccountFile.User(name: "me", uid: 1000, gid: 100, home: "/", shell: "/bin/sh"),
                    AccountFile.User(name: "77", uid: 5, gid: 6, home: "/", shell: "/bin/sh"),
                ],
                groups: [AccountFile.Group(name: "wheel", gid: 10, members: [])]))
    }

    @Test(
        "--chown names users and groups, and a name goes before a number",
        arguments: [
            ("me", 1000, 100), ("1000", 1000, 100), ("me:wheel", 1000, 10), ("me:7", 1000, 7), ("8:9", 8, 9),
            ("77", 5, 6), (":wheel", nil, 10), (":0", nil, 0),
        ] as [(String, uid_t?, gid_t?)])
    func owners(text: String, user: uid_t?, group: gid_t?) throws {
        let spec = try #require(OwnerSpec(RawString(text)))
        #expect(try spec.rule(Self.accounts) == .given(user: user, group: group))
    }

    @Test("--chown refuses nobody", arguments: ["", ":", "me:"])
    func malformed(text: String) { #expect(OwnerSpec(RawString(text)) == nil) }

    @Test(
        "--chown says whom the destination does not have",
        arguments: [
            ("you", OwnerError.noUser("you")), ("me:sudo", .noGroup("sudo")), ("4711", .noMainGroup("4711")),
            ("4294967295", .noUser("4294967295")), ("-1", .noUser("-1")),
        ])
    func unknown(text: String, error: OwnerError) throws {
        let spec = try #require(OwnerSpec(RawString(text)))
        #expect(throws: error) { try spec.rule(Self.accounts) }
    }

    @Test("mount points are read with their blanks")
    func mountPoints() {
        let table =
            "29 1 8:1 / / rw - ext4 x rw\n30 29 0:5 /a /with\\040blank\\134 rw shared:1 - tmpfs x rw\nbroken\n"
        #expect(CoveredPlace.mountPoints(Array(table.utf8)) == [.root, "/with blank\\"])
    }
}
