import CLI
import Libc
import Platform
import TestSupport
import Testing

@Suite("Help and version", .scratch)
struct HelpTests {
    @Test("each command has a page of its own, by either way", arguments: EveryCommand.names)
    func pages(_ command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let page = try Run.program(BuiltBinary.path, ["help"] + words)
        #expect(page.status == .success && page.stderr.isEmpty, "\(page.stderr)")
        #expect(page.stdout.contains("chroot-distro \(command)"))
        for flag in ["--help", "--usage", "-h"] {
            let same = try Run.program(BuiltBinary.path, words + [flag])
            #expect(same.stdout == page.stdout && same.stderr == page.stderr, "\(flag)")
        }
    }

    @Test("the front page names every command once, below one heading for each subject")
    func frontPage() throws {
        let page = try Program().succeed("--help").stdout
        for spec in EveryCommand.specs {
            let lines = page.split(separator: "\n").filter {
                $0.hasPrefix("  \(spec.name)") && $0.hasSuffix(spec.summary)
            }
            #expect(lines.count == 1 || !page.contains(spec.summary), "\(spec.name)")
        }
        let groups = Set(EveryCommand.specs.map(\.group))
        for group in groups {
            #expect(!groups.contains { $0 != group && $0.hasPrefix(group) }, "\(group)")
            #expect(page.contains(group.uppercased()), "\(group)")
        }
    }

    @Test("the version goes to standard output", arguments: ["-V", "--version"])
    func version(_ flag: String) throws {
        let outcome = try Program().succeed(flag)
        #expect(outcome.stdout.hasPrefix("chroot-distro "))
        #expect(outcome.stderr.isEmpty)
    }

    @Test("no page is wider than the terminal", arguments: [40, 80, 120], EveryCommand.names + [""])
    func width(_ columns: UInt16, _ command: String) throws {
        let program = Program()
        var terminal =
            try command.isEmpty
            ? program.onTerminal("--help", columns: columns)
            : TestTerminal(
                BuiltBinary.path, ["help"] + command.split(separator: " ").map(String.init),
                environment: program.environment, columns: columns)
        #expect(try terminal.finish() == .success)
        let widest = terminal.text.split(separator: "\r\n").map(Self.withoutColours).max {
            $0.count < $1.count
        }
        #expect((widest?.count ?? .max) <= Int(columns), "\(widest ?? "nothing was shown")")
    }

    @Test("the committed completions are those of the program")
    func completions() throws {
        let program = Program()
        try program.succeed("__generate", "completions", Scratch.path.rawValue)
        let committed = HostPath(#filePath).parent.parent.parent / "completions"
        for name in ["chroot-distro.bash", "_chroot-distro", "chroot-distro.fish"] {
            let outcome = try Run.program(
                "cmp", [(Scratch.path / name).rawValue, (committed / name).rawValue])
            #expect(outcome.status == .success, "run: make completions")
        }
    }

    @Test("manual pages are ones that man accepts", .needsProgram("man"))
    func manual() throws {
        try Program().succeed("__generate", "man", Scratch.path.rawValue)
        let complaints = try Run.shell(
            "for page in \"$1\"/*.1; do man --warnings -l \"$page\" 2>&1 >/dev/null; done",
            Scratch.path.rawValue)
        #expect(complaints.isEmpty, "\(complaints)")
        #expect(access((Scratch.path / "chroot-distro.1").rawValue, F_OK) == 0)
    }

    private static func withoutColours(_ line: Substring) -> String {
        var result = ""
        var rest = line
        while let escape = rest.firstIndex(of: "\u{1b}") {
            result += rest[..<escape]
            rest = rest[escape...].dropFirst(2).drop { !$0.isLetter }.dropFirst()
        }
        return (result + rest).filter { $0 != "\r" }
    }
}
