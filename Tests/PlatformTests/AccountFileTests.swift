import Libc
import Testing

@testable import Platform

@Suite("AccountFile") struct AccountFileTests {
    @Test("users come in the order of the file")
    func users() {
        let text = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/home/ann:\n"
        #expect(
            AccountFile.users(Array(text.utf8)) == [
                AccountFile.User(name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/sh"),
                AccountFile.User(name: "ann", uid: 1000, gid: 100, home: "/home/ann", shell: ""),
            ])
    }

    @Test(
        "lines that are not well-formed are skipped",
        arguments: [
            "", "\n\n", "root", "root:x:0:0:root:/root", "root:x:0:0:root:/root:/bin/sh:more", ":x:0:0:::",
            "neg:x:-1:0:::", "plus:x:+1:0:::", "big:x:4294967296:0:::", "all:x:4294967295:0:::",
            "gap:x::0:::",
            "word:x:root:0:::", "+nis:x:1:1:::", "+::::::", "-out:x:1:1:::", "# x:x:1:1:::", "nul\0:x:0:0:::",
            "space:x: 1:1:::",
        ])
    func malformed(line: String) {
        #expect(AccountFile.users(Array(line.utf8)).isEmpty)
        let good = "\nann:x:1000:100::/home/ann:/bin/sh"
        #expect(AccountFile.users(Array((line + good).utf8)).map(\.name) == ["ann"])
    }

    @Test("of two entries with a name the first counts")
    func duplicates() {
        let users = AccountFile.users(Array("a:x:1:1::/:\na:x:0:0::/:\nb:x:2:2::/:".utf8))
        #expect(users.map(\.uid) == [1, 2])
        let groups = AccountFile.groups(Array("g:x:5:\ng:x:0:a\n".utf8))
        #expect(groups == [AccountFile.Group(name: "g", gid: 5, members: [])])
    }

    @Test("groups have members, names any bytes but colon and line end")
    func groups() throws {
        let text: [UInt8] = Array("audio:x:29:ann,bob,,\nodd:x:30:".utf8) + [0xff, 0x0a]
        let groups = AccountFile.groups(text)
        #expect(groups.first?.members == ["ann", "bob"])
        #expect(groups.last?.members == [try #require(RawString(bytes: [0xff]))])
        #expect(AccountFile.groups(Array("two:x:1\nmany:x:1:a:b".utf8)).isEmpty)
    }
}
