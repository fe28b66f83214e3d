/// What the completions of all three shells need to know of a command.
struct CompletionWords {
    let spec: CommandSpec

    init(_ spec: CommandSpec) { self.spec = spec }

    /// The command's flags, its help among them.
    var flags: [Flag] { spec.visibleFlags + [.help] }

    /// The flags that take a value, hidden ones too: the word behind one is no operand.
    var valued: [Flag] { spec.flags.filter(\.takesNextWord) }

    /// The kinds of the operands; the last one goes on for ever when it may repeat.
    var operands: [ValueKind] { spec.operands.map(\.kind) }

    var isLastRepeated: Bool { spec.operands.last?.isRepeatable == true }

    /// One word for a kind of value, as the shells' helper functions name it; words to choose from come with it.
    static func code(_ kind: ValueKind) -> String {
        switch kind {
        case .text: "text"
        case .container: "containers"
        case .running: "running"
        case .image: "images"
        case .imageOrFile: "images+files"
        case .containerPath: "containers+files"
        case .file: "files"
        case .directory: "directories"
        case .program: "programs"
        case .topic: "topics"
        case .suggestion(let words), .choice(let words): "words " + words.joined(separator: " ")
        }
    }

    /// What may stand first on a line: names of one word, and the words with which longer names begin.
    static func firstWords(_ specs: [CommandSpec]) -> [(word: String, summary: String)] {
        specs.flatMap { spec in spec.names.filter { !$0.contains(" ") }.map { ($0, spec.summary) } }
            + CommandGroup.specs(of: specs).map { ($0.name, $0.summary) }
    }

    /// The names of commands, as far as they are one word, and of groups: what help takes.
    static func topics(_ specs: [CommandSpec]) -> [String] {
        specs.map(\.name).filter { !$0.contains(" ") } + CommandGroup.names(in: specs)
    }

    /// A command's name as one word of a shell.
    static func word(_ name: String) -> String { name.contains(" ") ? quote(name) : name }

    /// The name of the program as part of a function's name.
    static func identifier(_ program: ProgramSpec) -> String {
        String(program.name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    /// A word in single quotes, for bash and zsh.
    static func quote(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
