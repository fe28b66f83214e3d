import CLinux
import Libc
import Platform
import Testing

@testable import CLI

@Suite("Prompt") struct PromptTests {
    private func prompt(_ terminal: TestTerminal) throws -> Prompt {
        let peer = terminal.peer
        return Prompt(
            adopting: FileDescriptor(adopting: try syscall("dup") { fcntl(peer, F_DUPFD_CLOEXEC, 3) }))
    }

    @Test(
        "a password is read without being shown, and the terminal is as before",
        arguments: ["secret", "", "pä ss"])
    func password(text: String) throws {
        let terminal = try TestTerminal()
        try terminal.type(text + "\n")
        // What was typed ahead is echoed by the terminal itself; only what comes after the question counts.
        _ = terminal.screen()
        #expect(try prompt(terminal).password("Password: ") == text)
        #expect(terminal.isEchoing)
        let screen = terminal.screen()
        #expect(screen.hasPrefix("Password: "))
        #expect(text.isEmpty || !screen.contains(text))
    }

    @Test("the end of input is no password")
    func end() throws {
        let terminal = try TestTerminal()
        try terminal.type("\u{04}")
        #expect(try prompt(terminal).password("Password: ") == nil)
        #expect(terminal.isEchoing)
    }

    @Test("echo is off while a password is typed, and that is seen as an occupied terminal")
    func occupied() throws {
        let terminal = try TestTerminal()
        let modes = try #require(TerminalModes(of: terminal.peer))
        #expect(!Terminal.isOccupied(terminal.peer))
        try modes.hideTyping()
        #expect(Terminal.isOccupied(terminal.peer) && !terminal.isEchoing)
        try modes.restore()
        #expect(!Terminal.isOccupied(terminal.peer) && terminal.isEchoing)
        try modes.makeRaw()
        #expect(Terminal.isOccupied(terminal.peer))
        try modes.restore()
        #expect(!Terminal.isOccupied(-1))
    }

    @Test(
        "yes and no, and what is preferred",
        arguments: [
            ("y\n", false, true), ("YES\n", false, true), ("n\n", true, false), ("\n", true, true),
            ("\n", false, false),
            ("maybe\nno\n", true, false), ("\u{04}", true, true),
        ])
    func confirm(typed: String, preferred: Bool, expected: Bool) throws {
        let terminal = try TestTerminal()
        try terminal.type(typed)
        #expect(try prompt(terminal).confirm("Remove?", preferred: preferred) == expected)
    }

    @Test("a signal gives the terminal its echo back before it ends the process")
    func signal() throws {
        let terminal = try TestTerminal()
        let peer = terminal.peer
        let child = cd_fork()
        if child == 0 {
            _ = try? Prompt(adopting: FileDescriptor(adopting: peer)).password("Password: ")
            _exit(0)
        }
        let start = terminal.screen()
        #expect(start.hasPrefix("Password: "))
        #expect(!terminal.isEchoing, "whoever answers as soon as asked would be seen")
        kill(child, SIGTERM)
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(status & 0x7f == SIGTERM)
        #expect(terminal.isEchoing)
    }
}

@Suite("Terminal") struct TerminalTests {
    @Test("the size is the terminal's own")
    func size() throws {
        let terminal = try TestTerminal()
        terminal.resize(rows: 30, columns: 101)
        #expect(Terminal.size(of: terminal.peer) == Terminal.Size(rows: 30, columns: 101))
        #expect(Terminal.isTerminal(terminal.peer))
        #expect(Terminal.size(of: -1) == nil)
    }
}
