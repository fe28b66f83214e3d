import Libc
import Platform
import TestSupport
import Testing

@Suite("login on a terminal", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct TerminalLoginTests {
    @Test("is a login shell on a terminal of the container's own, with the window's size")
    func shell() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box", rows: 31, columns: 97)
        try terminal.wait(for: "# ")
        try terminal.type("tty; stty size; echo shell:$0; echo do''ne\n")
        let shown = try terminal.wait(for: "done\r\n")
        #expect(shown.contains("/dev/pts/"))
        #expect(shown.contains("31 97\r\n"))
        #expect(shown.contains("shell:-"), "not a login shell")
        try terminal.type("exit 9\n")
        #expect(try terminal.finish() == ExitStatus(code: 9))
    }

    @Test("follows the window when its size changes")
    func resize() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box", "--", "sh")
        try terminal.wait(for: "# ")
        try terminal.type("echo u''p\n")
        try terminal.wait(for: "up\r\n")
        terminal.resize(rows: 50, columns: 123)
        try terminal.type("sleep 0.2; stty size\n")
        try terminal.wait(for: "50 123")
        try terminal.type("exit\n")
        #expect(try terminal.finish() == .success)
    }

    @Test("lets Ctrl-C reach the guest and not end the session")
    func interrupt() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box", "--", "sh")
        try terminal.wait(for: "# ")
        try terminal.type("sleep 600; echo status $?\n")
        try Processes.appearance(of: "sleep", inMountsOf: Scratch.path)
        try terminal.type("\u{3}")
        try terminal.type("echo al''ive\n")
        try terminal.wait(for: "alive\r\n")
        try terminal.type("exit 4\n")
        #expect(try terminal.finish() == ExitStatus(code: 4))
    }

    @Test("gives the terminal back as it was", arguments: ["exit 0", "kill -9 $$"])
    func modes(_ ending: String) throws {
        let program = try Program.with("box")
        var terminal = try TestTerminal(
            "sh",
            [
                "-c", "\"$0\" login box -- sh -c 'stty -echo raw; \(ending)'; echo back; read x",
                BuiltBinary.path,
            ],
            environment: program.environment)
        let before = terminal.modes
        try terminal.wait(for: "back")
        #expect(terminal.modes == before)
        try terminal.type("\n")
        #expect(try terminal.finish() == .success)
    }

    @Test("ends the session when the window is closed")
    func hangUp() throws {
        let program = try Program.with("box")
        var terminal = try program.onTerminal("login", "box", "--", "sh", "-c", "echo ready; exec sleep 600")
        try terminal.wait(for: "ready")
        terminal.hangUp()
        _ = try terminal.finish()
        #expect(try Waiting.until { try program.succeed("ps", "-q").lines.isEmpty })
    }

    @Test(
        "shows colours on a terminal, and none where they are not wanted",
        arguments: ["NO_COLOR", "CD_FORCE_NO_COLORS"])
    func colours(_ variable: String) throws {
        var program = Program()
        var plain = try program.onTerminal("login", "missing")
        _ = try plain.finish()
        #expect(Self.hasColour(plain.text))
        program.environment[variable] = "1"
        var colourless = try program.onTerminal("login", "missing")
        _ = try colourless.finish()
        #expect(!Self.hasColour(colourless.text))
    }

    /// Whether there is a sequence that sets a colour or a weight: ESC [ digits and semicolons m.
    private static func hasColour(_ text: String) -> Bool {
        text.split(separator: "\u{1b}[", omittingEmptySubsequences: false).dropFirst().contains { rest in
            rest.first { !$0.isNumber && $0 != ";" } == "m"
        }
    }
}
