/// A word of the command line that belongs to no flag.
package struct Operand: Hashable, Sendable {
    /// What stands for it in help, such as `CONTAINER`.
    package let name: String
    /// What a shell offers there.
    package let kind: ValueKind
    /// Whether it may be left out.
    package let isOptional: Bool
    /// Whether more than one may stand there; only the last operand of a command may repeat.
    package let isRepeatable: Bool

    package init(_ name: String, _ kind: ValueKind = .text, optional: Bool = false, repeatable: Bool = false)
    {
        self.name = name
        self.kind = kind
        isOptional = optional
        isRepeatable = repeatable
    }

    /// As it stands in a synopsis: `CONTAINER`, `[PATH]`, `NAME...`.
    package var synopsis: String {
        let word = isRepeatable ? "\(name)..." : name
        return isOptional ? "[\(word)]" : word
    }
}

/// Words at the end that are handed on as they are: the command to run inside.
package struct TrailingWords: Hashable, Sendable {
    /// What stands for them in help, such as `COMMAND`.
    package let name: String
    /// Whether they may also follow the operands directly, without a `--` between.
    package let allowsBareWords: Bool

    package init(_ name: String, allowsBareWords: Bool) {
        self.name = name
        self.allowsBareWords = allowsBareWords
    }

    /// As they stand in a synopsis.
    package var synopsis: String { "[-- \(name) ...]" }
}
