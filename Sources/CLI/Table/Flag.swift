/// An option of a command, or of the whole program.
package struct Flag: Hashable, Sendable {
    /// The long name without its dashes; what `ParsedArguments` is asked for.
    package let name: String
    /// Other long names that mean the same; the parser and the completions know them, help names them at the end.
    package let aliases: [String]
    /// One ASCII letter or digit.
    package let short: Character?
    /// What stands for the value in help, such as `USER`; `nil` when the flag takes none.
    package let value: String?
    /// Whether the value may be left out; it then stands behind a `=` or not at all.
    package let isValueOptional: Bool
    /// What a shell offers as its value, and what the parser accepts.
    package let kind: ValueKind
    /// Whether every occurrence counts; otherwise the last one wins.
    package let isRepeatable: Bool
    /// Accepted, but neither shown nor completed.
    package let isHidden: Bool
    /// Two different flags of one group may not stand on one command line.
    package let group: String?
    /// What it does, in a few words without a full stop.
    package let help: String

    package init(
        _ name: String, aliases: [String] = [], short: Character? = nil, value: String? = nil,
        optionalValue: Bool = false, kind: ValueKind = .text, repeatable: Bool = false, hidden: Bool = false,
        group: String? = nil, help: String
    ) {
        self.name = name
        self.aliases = aliases
        self.short = short
        self.value = value
        isValueOptional = optionalValue
        self.kind = kind
        isRepeatable = repeatable
        isHidden = hidden
        self.group = group
        self.help = help
    }

    /// Every spelling with its dashes, the short one first.
    package var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + longNames.map { "--\($0)" } }

    /// As it is named in a message: `-u/--user`.
    package var title: String { (short.map { "-\($0)/" } ?? "") + "--\(name)" }

    /// As it is listed in help: `-u, --user USER`.
    package var term: String {
        let shown = value.map { isValueOptional ? "[=\($0)]" : " \($0)" } ?? ""
        return (short.map { "-\($0), " } ?? "") + "--\(name)" + shown
    }

    /// Whether the next word belongs to it.
    var takesNextWord: Bool { value != nil && !isValueOptional }

    var longNames: [String] { [name] + aliases }
}
