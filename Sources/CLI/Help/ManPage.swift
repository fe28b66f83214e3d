/// Help as a manual page, in the man(7) macros.
package struct ManPage {
    /// The file it belongs in, such as `chroot-distro-login.1`.
    package let fileName: String
    /// The roff source.
    package let text: String

    /// The page of the program, one for each of `commands` and each group of them, and for names of two words that are
    /// another command's, such as `image pull`, the page of that command once more.
    ///
    /// `date` stands in the footer, such as `2026-01-31`; it is given so that two builds of one version are equal.
    package static func all(of program: ProgramSpec, commands: [CommandSpec], date: String) -> [ManPage] {
        let pages = commands.map { fileName([program.name, $0.name]) }
        let front = ManPage(Page(program, commands: commands), program, date, seeAlso: pages)
        let described = commands + CommandGroup.specs(of: commands)
        return [front]
            + described.map { ManPage(Page($0, of: program), program, date, seeAlso: [program.name]) }
            + commands.flatMap { command in
                command.aliases.filter { $0.contains(" ") }.map {
                    ManPage(
                        Page(command, of: program), program, date, seeAlso: [program.name],
                        file: fileName([program.name, $0]))
                }
            }
    }

    private init(_ page: Page, _ program: ProgramSpec, _ date: String, seeAlso: [String], file: String? = nil)
    {
        let name = Self.fileName(page.subject)
        fileName = "\(file ?? name).1"
        var lines = [
            ".\\\" Generated from the table of commands.",
            ".TH \(Self.escape(name.uppercased())) 1 \(date) \"\(Self.escape("\(program.name) \(program.version)"))\"",
            ".SH NAME", "\(Self.escape(name)) \\- \(Self.escape(page.summary))",
        ]
        for section in page.sections {
            let title = section.title == "Usage" ? "Synopsis" : section.title
            lines.append(".SH \"\(Self.escape(title.uppercased()))\"")
            for (index, block) in section.blocks.enumerated() {
                lines += Self.lines(block, isFirst: index == 0)
            }
        }
        lines.append(".SH \"SEE ALSO\"")
        for (index, other) in seeAlso.enumerated() {
            lines.append(".BR \(Self.escape(other)) (1)" + (index == seeAlso.count - 1 ? "" : ","))
        }
        text = lines.joined(separator: "\n") + "\n"
    }

    /// Blanks in a command's name become dashes, as in `chroot-distro-image-ls`.
    private static func fileName(_ subject: [String]) -> String {
        subject.joined(separator: "-").split(separator: " ").joined(separator: "-")
    }

    private static func lines(_ block: Page.Block, isFirst: Bool) -> [String] {
        switch block {
        case .paragraph(let text): return (isFirst ? [] : [".PP"]) + [escape(text)]
        case .synopsis(let parts):
            let words = parts.map { escape($0).split(separator: " ").joined(separator: "\\ ") }
            return ["\\fB\(words[0])\\fR \(words.dropFirst().joined(separator: " "))"]
        case .rows(let rows): return rows.flatMap { [".TP", "\\fB\(escape($0.term))\\fR", escape($0.text)] }
        case .examples(let examples):
            return examples.flatMap { example in
                [
                    ".TP", escape(example.about.map { $0 + ":" } ?? "Example:"), ".EX", escape(example.line),
                    ".EE",
                ]
            }
        }
    }

    /// `text` so that roff prints it, letter for letter; ASCII quotes, dashes and carets would be beautified.
    static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "\"": result += "\\(dq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "…": result += "..."
            default: result.append(character)
            }
        }
        // A line that begins with a dot would be a request.
        return result.hasPrefix(".") ? "\\&" + result : result
    }
}
