import Libc
import Platform

/// Help laid out for the width of a screen.
package struct HelpPage {
    private let page: Page
    private let program: ProgramSpec
    private let width: Int
    private let style: Style

    /// The page of one command.
    ///
    /// `columns` is the width of the screen, 72 when `nil`; lines are neither shorter than 32 nor longer than 100.
    package init(_ spec: CommandSpec, of program: ProgramSpec, columns: Int?, style: Style = .plain) {
        self.init(Page(spec, of: program), program, columns, style)
    }

    /// The page of the program, with its commands.
    package init(_ program: ProgramSpec, commands: [CommandSpec], columns: Int?, style: Style = .plain) {
        self.init(Page(program, commands: commands), program, columns, style)
    }

    private init(_ page: Page, _ program: ProgramSpec, _ columns: Int?, _ style: Style) {
        self.page = page
        self.program = program
        width = min(max(columns ?? 72, 32), 100)
        self.style = style
    }

    /// The synopsis alone, in one line: what an error shows.
    package static func usage(_ spec: CommandSpec, of program: ProgramSpec) -> String {
        "Usage: \(program.name) \(spec.synopsis.joined(separator: " "))"
    }

    /// The whole page, every line ended.
    package var text: String {
        var lines: [String] = []
        for section in page.sections {
            lines.append(style.paint(section.title.uppercased(), .heading))
            for (index, block) in section.blocks.enumerated() {
                if index > 0, case .paragraph = block { lines.append("") }
                if index > 0, case .rows = block { lines.append("") }
                lines += self.lines(block)
            }
            lines.append("")
        }
        lines.append(style.paint(String(repeating: "─", count: width), .faint))
        lines.append("\(program.name) \(program.version)")
        return lines.joined(separator: "\n") + "\n"
    }

    private func lines(_ block: Page.Block) -> [String] {
        switch block {
        case .paragraph(let text): TextLayout.wrap(text, to: width - 2).map { "  " + $0 }
        case .synopsis(let parts):
            TextLayout.wrap(parts, to: width - 6).enumerated().map {
                ($0.offset == 0 ? "  " : "      ") + $0.element
            }
        case .rows(let rows): width < 60 ? rows.flatMap(stacked) : columns(rows)
        case .examples(let examples): examples.flatMap(example)
        }
    }

    /// Two columns; a term that is too long for its own has its text below.
    private func columns(_ rows: [CommandSpec.Section.Row]) -> [String] {
        let limit = max(16, width / 3)
        let widths = rows.map { DisplayWidth.of($0.term) }
        let column = widths.filter { $0 <= limit }.max() ?? limit
        return zip(rows, widths).flatMap { row, length in
            let text = TextLayout.wrap(row.text, to: width - column - 4)
            let indent = String(repeating: " ", count: column + 4)
            let term = style.paint(row.term, .term)
            guard length <= column, let first = text.first else {
                return ["  " + term] + text.map { indent + $0 }
            }
            let gap = String(repeating: " ", count: column - length + 2)
            return ["  " + term + gap + first] + text.dropFirst().map { indent + $0 }
        }
    }

    private func stacked(_ row: CommandSpec.Section.Row) -> [String] {
        TextLayout.wrap(row.term, to: width - 2).map { "  " + style.paint($0, .term) }
            + TextLayout.wrap(row.text, to: width - 6).map { "      " + $0 }
    }

    /// A command on as many lines as it needs, which a shell reads as one.
    private func command(_ line: String) -> [String] {
        let parts = TextLayout.wrap(Self.words(of: line), to: width - 6)
        return parts.enumerated().map { index, part in
            (index == 0 ? "  $ " : "    ") + part + (index < parts.count - 1 ? " \\" : "")
        }
    }

    /// The words of a command line as they are written, quotes and what is between them included.
    private static func words(of line: String) -> [String] {
        var words = [""]
        var quote: Character?
        for character in line {
            if character == " ", quote == nil {
                words.append("")
                continue
            }
            words[words.count - 1].append(character)
            if character == quote {
                quote = nil
            } else if quote == nil, "'\"".contains(character) {
                quote = character
            }
        }
        return words.filter { !$0.isEmpty }
    }

    private func example(_ example: CommandSpec.Example) -> [String] {
        let about = example.about.map {
            TextLayout.wrap("# " + $0, to: width - 2).map { "  " + style.paint($0, .faint) }
        }
        return (about ?? []) + command(example.line)
    }
}
