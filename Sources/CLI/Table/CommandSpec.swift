/// A command in words: what it is called, what it takes and what its help says.
///
/// The parser, the help pages, the man pages and the completions of three shells are views of this one value.
package struct CommandSpec: Sendable {
    /// A command line that shows a use, with a few words about it.
    package struct Example: Hashable, Sendable {
        package let line: String
        package let about: String?

        package init(_ line: String, _ about: String? = nil) {
            self.line = line
            self.about = about
        }
    }

    /// A part of the help page of its own: paragraphs, then a list of terms.
    package struct Section: Hashable, Sendable {
        /// A term and what it means.
        package struct Row: Hashable, Sendable {
            package let term: String
            package let text: String

            package init(_ term: String, _ text: String) {
                self.term = term
                self.text = text
            }
        }

        package let title: String
        package let paragraphs: [String]
        package let rows: [Row]

        package init(_ title: String, paragraphs: [String] = [], rows: [Row] = []) {
            self.title = title
            self.paragraphs = paragraphs
            self.rows = rows
        }
    }

    /// What it is called in help, and what its man page is named for.
    package let name: String
    /// Other words that mean it.
    package let aliases: [String]
    /// One sentence without a full stop.
    package let summary: String
    /// The heading of the front page under which the command is listed.
    package let group: String
    /// Paragraphs.
    package let description: [String]
    /// In the order of the command line; none that is required stands behind an optional one.
    package let operands: [Operand]
    /// Words to hand on; `nil` when the command takes none.
    package let trailing: TrailingWords?
    /// In the order of the help page.
    package let flags: [Flag]
    /// Parts of the page between the options and the examples.
    package let sections: [Section]
    /// Shown at the end of the page.
    package let examples: [Example]
    /// Works, but is neither listed nor completed nor suggested.
    package let isHidden: Bool

    package init(
        _ name: String, aliases: [String] = [], summary: String, group: String = "Commands",
        description: [String] = [], operands: [Operand] = [], trailing: TrailingWords? = nil,
        flags: [Flag] = [],
        sections: [Section] = [], examples: [Example] = [], hidden: Bool = false
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.group = group
        self.description = description
        self.operands = operands
        self.trailing = trailing
        self.flags = flags
        self.sections = sections
        self.examples = examples
        isHidden = hidden
    }

    /// The name and the aliases.
    package var names: [String] { [name] + aliases }

    /// Whether `word` is its name or one of its aliases, in full.
    package func isCalled(_ word: String) -> Bool { name == word || aliases.contains(word) }

    /// The flag with this long name; aliases are not names.
    package func flag(_ name: String) -> Flag? { flags.first { $0.name == name } }

    /// What may follow the program's name, in words that stay together when a line is broken.
    package var synopsis: [String] {
        let options = flags.contains { !$0.isHidden } ? ["[OPTIONS]"] : []
        return [name] + options + operands.map(\.synopsis) + (trailing.map { [$0.synopsis] } ?? [])
    }

    var visibleFlags: [Flag] { flags.filter { !$0.isHidden } }
}
