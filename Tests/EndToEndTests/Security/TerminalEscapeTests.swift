import Platform
import TestSupport
import Testing

@Suite("Control characters in names", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct TerminalEscapeTests {
    private static let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\n\u{9b}31m"

    @Test("of members never reach the terminal", arguments: Attack.Source.allCases)
    func members(_ kind: Attack.Source) throws {
        let attack = try Attack()
        let outcome = try attack.install(as: kind) { tar in
            tar.add("etc/\(Self.evil)", text: "x")
            // A member that has to be complained about.
            tar.add("etc/\(Self.evil)/below", text: "x")
        }
        expectPrintable(outcome)
        expectPrintable(try attack.program.run("remove", "-v", "box"))
    }

    @Test("of an image's configuration never reach the terminal")
    func configuration() throws {
        let program = Program()
        try program.install("box", configuration: #"{"Cmd":["\u001b]0;owned\u0007"],"User":"\u001b[2J"}"#)
        expectPrintable(try program.run("run", "box"))
        expectPrintable(try program.run("list", "-v"))
    }

    @Test("of a process's arguments never reach the terminal")
    func processes() throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; cat", "\u{1b}[2Jx")
        _ = try session.read(until: "ready")
        expectPrintable(try program.run("ps"))
        _ = try session.finish()
    }

    @Test("of an argument of our own are quoted in the complaint")
    func arguments() throws {
        expectPrintable(try Program().run("login", Self.evil))
    }

    private func expectPrintable(_ outcome: Run.Outcome, _ sourceLocation: SourceLocation = #_sourceLocation)
    {
        let bytes = outcome.output + outcome.complaint
        #expect(
            !bytes.contains { $0 < 0x20 && $0 != 0x0a }, "\(outcome.stderr)", sourceLocation: sourceLocation)
        #expect(!outcome.stderr.contains("\u{9b}"), sourceLocation: sourceLocation)
    }
}
