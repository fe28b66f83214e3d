import Libc
import Testing

@testable import Platform

@Suite("InvokingUser") struct InvokingUserTests {
    private let accounts = InvokingUser.Accounts(
        byName: {
            $0 == "ann"
                ? AccountFile.User(name: "ann", uid: 1000, gid: 100, home: "/home/ann", shell: "") : nil
        },
        byID: {
            $0 == 1000
                ? AccountFile.User(name: "ann", uid: 1000, gid: 100, home: "/home/ann", shell: "") : nil
        })

    @Test(
        "each tool's way of saying who called",
        arguments: [
            (["SUDO_UID=1000", "SUDO_USER=x"], 1000), (["SUDO_USER=ann"], 1000), (["DOAS_USER=ann"], 1000),
            (["PKEXEC_UID=1000"], 1000), (["SUDO_UID=-1", "DOAS_USER=ann"], 1000),
            (["SUDO_UID=4294967295"], 0),
            (["DOAS_USER=nobody-here"], 0), ([], 0), (["SUDO_UID="], 0),
        ] as [([RawString], uid_t)])
    func declared(entries: [RawString], expected: uid_t) {
        let environment = Environment(entries: entries)
        let user = InvokingUser.resolve(environment, realUID: 0, effectiveUID: 0, accounts: accounts)
        #expect(user.uid == expected)
        #expect(user.home == (expected == 1000 ? "/home/ann" : nil))
    }

    @Test("a process without rights is who it is, whatever it says")
    func unprivileged() {
        let environment = Environment(entries: ["SUDO_UID=0", "PKEXEC_UID=0"])
        let user = InvokingUser.resolve(environment, realUID: 1000, effectiveUID: 1000, accounts: accounts)
        #expect(user == InvokingUser(uid: 1000, name: "ann", home: "/home/ann"))
    }

    @Test("root has an account on this host")
    func root() {
        #expect(HostUsers.user(withID: 0)?.name == "root")
        #expect(HostUsers.user(named: "root")?.uid == 0)
        #expect(HostUsers.user(named: "no such user here") == nil)
    }
}
