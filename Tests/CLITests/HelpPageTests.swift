import Platform
import Testing

@testable import CLI

@Suite("HelpPage") struct HelpPageTests {
    private let login = ExampleProgram.Login.spec

    private func lines(_ columns: Int?) -> [String] {
        HelpPage(login, of: ExampleProgram.spec, columns: columns).text.split(separator: "\n").map(
            String.init)
    }

    @Test("no line is wider than the screen", arguments: [40, 59, 60, 72, 80, 92, 100])
    func width(columns: Int) {
        #expect(lines(columns).allSatisfy { DisplayWidth.of($0) <= columns })
    }

    @Test(
        "the width has limits",
        arguments: [(1, 32), (32, 32), (nil, 72), (100, 100), (400, 100)] as [(Int?, Int)])
    func limits(columns: Int?, expected: Int) {
        #expect(lines(columns).contains(String(repeating: "─", count: expected)))
    }

    @Test("terms and texts stand side by side, or stacked on a narrow screen")
    func columns() {
        #expect(lines(80).contains("  --minimal            Only /dev, /proc and /sys, and an almost empty"))
        #expect(lines(59).contains("  --minimal"))
        #expect(lines(59).contains("      Only /dev, /proc and /sys, and an almost empty"))
    }

    @Test("words are never cut")
    func words() {
        let wide = Set(lines(100).joined(separator: " ").split(separator: " "))
        let narrow = Set(lines(32).joined(separator: " ").split(separator: " "))
        // The line's end and the end of a command's line depend on the width.
        let isWord = { (word: Substring) in !word.hasPrefix("─") && word != "\\" }
        #expect(wide.filter(isWord) == narrow.filter(isWord))
    }

    @Test(
        "every part of the table is on the page",
        arguments: [
            "  chroot-distro login [OPTIONS] CONTAINER [-- COMMAND ...]", "  Aliases: sh", "VARIABLES",
            "  CD_USER  See --user.", "  $ chroot-distro login deb -- ls -l /", "  # Run one command",
            "chroot-distro 1.2.3",
        ])
    func content(line: String) {
        #expect(lines(80).contains(line))
    }

    @Test("hidden flags and commands are not shown")
    func hidden() {
        let install = HelpPage(ExampleProgram.Install.spec, of: ExampleProgram.spec, columns: 80).text
        #expect(!install.contains("override-alias"))
        let front = HelpPage(ExampleProgram.spec, commands: ExampleProgram.table.visibleSpecs, columns: 80)
            .text
        #expect(!front.contains("__complete"))
        #expect(front.contains("  install, add  Install a container\n"))
        #expect(front.contains("USE\n") && front.contains("MANAGE\n") && front.contains("--no-elevate"))
    }

    @Test("colour does not move anything")
    func color() {
        let plain = HelpPage(login, of: ExampleProgram.spec, columns: 80).text
        let colored = HelpPage(login, of: ExampleProgram.spec, columns: 80, style: Style(isColored: true))
            .text
        var bare = colored
        for code in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"] { bare = bare.replacing(code, with: "") }
        #expect(colored != plain)
        #expect(bare == plain)
    }
}

@Suite("ManPage") struct ManPageTests {
    private let pages = ManPage.all(
        of: ExampleProgram.spec, commands: ExampleProgram.table.visibleSpecs, date: "2026-01-31")

    @Test("one page for the program and one for each command, each group and each alias in a group")
    func names() {
        #expect(
            pages.map(\.fileName).prefix(3) == [
                "chroot-distro.1", "chroot-distro-login.1", "chroot-distro-run.1",
            ])
        let specs = ExampleProgram.table.visibleSpecs
        let aliases = specs.flatMap(\.aliases).filter { $0.contains(" ") }
        #expect(!aliases.isEmpty && !CommandGroup.names(in: specs).isEmpty)
        #expect(pages.count == 1 + specs.count + CommandGroup.names(in: specs).count + aliases.count)
        #expect(Set(pages.map(\.fileName)).count == pages.count)
    }

    @Test(
        "what roff would read is escaped",
        arguments: [
            ("a-b", "a\\-b"), ("\\n", "\\en"), (".TH", "\\&.TH"), ("'x'", "\\(aqx\\(aq"),
            ("~^", "\\(ti\\(ha"),
        ])
    func escaping(text: String, expected: String) {
        #expect(ManPage.escape(text) == expected)
    }

    @Test(
        "groff and mandoc have nothing to say against them",
        .enabled(if: Shell.has("man") || Shell.has("mandoc")))
    func lint() {
        let scratch = Scratch()
        for page in pages {
            let file = scratch.write(page.text, to: page.fileName)
            if Shell.has("man") { #expect(Shell.run("man --warnings -l \(file) 2>&1 >/dev/null") == "") }
            if Shell.has("mandoc") { #expect(Shell.run("mandoc -T lint \(file) 2>&1") == "") }
        }
    }

    @Test("an example comes out of the manual as it was written", .enabled(if: Shell.has("man")))
    func verbatim() {
        let file = Scratch()
        let path = file.write(pages[1].text, to: "page.1")
        let text = Shell.run("MANWIDTH=80 man -l \(path) 2>/dev/null | col -b")
        #expect(text.contains("chroot-distro login deb -- ls -l /"))
        #expect(text.contains("-b, --bind SRC[:DST[:OPTS]]"))
    }
}
