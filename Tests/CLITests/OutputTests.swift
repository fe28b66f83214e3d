import Platform
import Testing

@testable import CLI

private struct Box: Listed {
    let name: String
    let size: Int64
    let about: String

    static let plural = "boxes"
    static let columns = [Column("NAME"), Column("SIZE", .right), Column("ABOUT")]
    var row: Row { Row([name, ByteCount(size).description, about]) }
    var word: String { name }
}

@Suite("Listing") struct ListingTests {
    private let list = Listing([
        Box(name: "deb", size: 1536, about: "Debian, made of many small parts"),
        Box(name: "日本", size: 7, about: "x"),
    ])

    @Test("a table lines up by what is seen, and is whole in a pipe")
    func table() throws {
        #expect(
            try list.render(.table) == """
                NAME     SIZE  ABOUT
                deb   1.5 KiB  Debian, made of many small parts
                日本      7 B  x

                """)
    }

    @Test(
        "on a screen the last column is cut",
        arguments: [(26, "Debian, ma…"), (80, "Debian, made of many small parts"), (5, "Debian,…")])
    func cut(width: Int, expected: String) throws {
        let lines = try list.render(.table, width: width).split(separator: "\n")
        #expect(lines[1].hasSuffix("  " + expected))
    }

    @Test("quiet leaves one word for each")
    func quiet() throws {
        #expect(try list.render(.quiet) == "deb\n日本\n")
    }

    @Test("JSON has a schema number, a named list and sorted keys")
    func json() throws {
        #expect(
            try Listing([Box(name: "a/\"b\"", size: 1, about: "")]).render(.json) == """
                {
                  "boxes" : [
                    {
                      "about" : "",
                      "name" : "a/\\"b\\"",
                      "size" : 1
                    }
                  ],
                  "schema" : 1
                }

                """)
        let empty = try Listing<Box>([]).render(.json)
        #expect(empty.contains("\"boxes\" : [") && empty.contains("\"schema\" : 1"))
    }

    @Test(
        "no format lets a stranger's bytes through to the terminal",
        arguments: [ListingFormat.table, .quiet, .json])
    func hostile(format: ListingFormat) throws {
        let text = try Listing([
            Box(name: "a\u{1b}[2J\u{9b}1m\u{202e}\u{7f}\u{61c}b\n", size: 1, about: "\u{1b}")
        ])
        .render(format)
        #expect(
            !text.unicodeScalars.contains {
                $0.value < 0x20 && $0 != "\n" || (0x7f..<0xa0).contains($0.value)
            })
        #expect(!text.unicodeScalars.contains { [0x202e, 0x61c].contains($0.value) })
        #expect(text.split(separator: "\n").count == (format == .table ? 2 : format == .quiet ? 1 : 10))
    }

    @Test(
        "flags choose the format", arguments: [("", ListingFormat.table), ("-q", .quiet), ("--json", .json)])
    func format(line: String, expected: ListingFormat) throws {
        let spec = CommandSpec("list", summary: "", flags: ListingFormat.flags)
        let words = try ShellWords.split(line).map { RawString($0) }
        guard case .arguments(let arguments) = try ArgvParser.parse(words, for: spec, of: ExampleProgram.spec)
        else {
            throw UsageError("help")
        }
        #expect(ListingFormat(arguments) == expected)
    }
}

@Suite("Style") struct StyleTests {
    @Test("no colour where there is no terminal")
    func pipe() {
        #expect(Style.of(-1) { _ in nil } == .plain)
        #expect(Style.plain.paint("x", .error) == "x")
        #expect(Style(isColored: true).paint("x", .error) == "\u{1b}[1;31mx\u{1b}[0m")
    }

    @Test(
        "a variable turns colour off when it is not empty",
        arguments: ["CD_FORCE_NO_COLORS", "NO_COLOR", "TERM"])
    func variables(name: String) throws {
        let terminal = try TestTerminal()
        #expect(Style.of(terminal.peer) { _ in "" }.isColored)
        #expect(!Style.of(terminal.peer) { $0 == name ? "dumb" : nil }.isColored)
    }
}

@Suite("Diagnostics") struct DiagnosticsTests {
    private struct Refusal: UserFacing {
        let message = "no"
        let hint: String? = "yes"
        let status = ExitStatus(code: 126)
    }
    private struct Surprise: Error {}

    private func said(
        quiet: Bool = false, terminal: Bool = false, occupied: Bool = false, _ body: (Diagnostics) -> Void
    ) -> String {
        var text = ""
        let diagnostics = Diagnostics(
            isQuiet: quiet, style: .plain, isTerminal: terminal, occupied: { occupied }, sink: { text += $0 })
        body(diagnostics)
        return text
    }

    @Test("three shapes of lines")
    func shapes() {
        #expect(said { $0.info("a") } == "[*] a\n")
        #expect(said { $0.warning("a") } == "Warning: a\n")
        #expect(said { $0.report(Refusal()) } == "Error: no\nyes\n")
        #expect(said { $0.report(Surprise()) } == "Error: unexpected: Surprise()\n")
    }

    @Test("an error decides the exit status")
    func status() {
        _ = said { #expect($0.report(Refusal()).code == 126 && $0.report(Surprise()) == .failure) }
    }

    @Test("a usage error shows the synopsis and where the help is")
    func usage() {
        let commands = ExampleProgram.table.visibleSpecs
        let text = said {
            $0.report(
                UsageError("bad", hint: "good", command: "login"), of: ExampleProgram.spec, commands: commands
            )
        }
        #expect(
            text == """
                Error: bad
                good
                Usage: chroot-distro login [OPTIONS] CONTAINER [-- COMMAND ...]
                Help: chroot-distro help login

                """)
    }

    @Test("quiet hides information only")
    func quiet() {
        #expect(
            said(quiet: true) {
                $0.info("a"); $0.warning("b"); $0.report(Refusal())
            } == "Warning: b\nError: no\nyes\n")
    }

    @Test("a password prompt is not disturbed, except by an error")
    func prompt() {
        #expect(
            said(occupied: true) {
                $0.info("a"); $0.warning("b")
            } == "")
        #expect(said(occupied: true) { $0.report(Refusal()) } == "Error: no\r\nyes\r\n")
    }

    @Test("on a terminal a line that was begun is wiped first")
    func wipes() {
        #expect(said(terminal: true) { $0.info("a") } == "\r\u{1b}[K[*] a\n")
    }
}
