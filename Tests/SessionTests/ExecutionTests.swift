import Libc
import Platform
import Testing

@testable import Session

@Suite("How a guest's program is called")
struct ExecutionTests {
    @Test(
        "a bare word is looked for in every directory of PATH, an empty one being the current, and then left to the shell"
    )
    func bareWord() {
        let found = Execution(.words(["ls", "-l"], shell: "/bin/bash"), search: "/usr/bin::/bin")
        #expect(found.paths == ["/usr/bin/ls", "./ls", "/bin/ls"])
        #expect(found.arguments == ["ls", "-l"])
        #expect(found.script == ["/bin/sh", "", "-l"])
        #expect(found.shell == ["/bin/bash", "-c", "ls -l"])
        #expect(Execution(.words(["ls"], shell: nil), search: nil).shell.isEmpty)
        #expect(Execution(.words(["ls"], shell: nil), search: nil).paths.contains("/usr/bin/ls"))
    }

    @Test("a path is taken as it is, and never left to the shell")
    func path() {
        let found = Execution(.words(["./run", "x"], shell: "/bin/sh"), search: "/bin")
        #expect(found.paths == ["./run"])
        #expect(found.shell.isEmpty)
    }

    @Test("a login shell has a dash before its name")
    func shell() {
        let found = Execution(.shell("/usr/bin/zsh"), search: "/bin")
        #expect(found.paths == ["/usr/bin/zsh"])
        #expect(found.arguments == ["-zsh"])
    }

    @Test("what failed has the status that shells give it")
    func errors() {
        let found = Execution(.words(["tool"], shell: "/bin/sh"), search: "/a:/b")
        #expect(found.error(of: -1, code: ENOENT) == .notFound("tool"))
        #expect(found.error(of: 1, code: EACCES) == .refused("/b/tool", EACCES))
        #expect(found.error(of: 2, code: ENOENT) == .notFound("/bin/sh"))
        #expect(found.error(of: 1, code: EACCES).status == .notExecutable)
        #expect(found.error(of: -1, code: ENOENT).status == .notFound)
    }
}
