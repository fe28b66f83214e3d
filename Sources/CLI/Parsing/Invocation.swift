import Platform

/// What a whole command line asks for.
package enum Invocation<Context> {
    /// The program's own help.
    case frontPage
    case version
    /// The help of one command.
    case help(CommandSpec)
    /// A command to run, and the flags that stood before it.
    case command(any Command<Context>.Type, ParsedArguments, global: ParsedArguments)

    /// Reads the words behind the program's own name.
    package static func read(
        _ argv: some Collection<RawString>, program: ProgramSpec, table: CommandTable<Context>
    ) throws(UsageError) -> Invocation {
        // Up to its first bare word, a program is a command whose trailing words are the rest of the line.
        let front = CommandSpec(
            program.name, summary: program.summary,
            trailing: TrailingWords("COMMAND", allowsBareWords: true), flags: program.flags + [.version])
        guard case .arguments(let global) = try ArgvParser.parse(argv, for: front, of: program) else {
            return .frontPage
        }
        if global.isSet(Flag.version.name) { return .version }
        guard let words = global.trailing, let word = words.first else { return .frontPage }
        if CommandSpec.help.isCalled(word.text) { return try help(words.dropFirst(), program, table) }
        guard let command = table[word.text] else { throw unknown(word, program, table) }
        switch try ArgvParser.parse(words.dropFirst(), for: command.spec, of: program) {
        case .help: return .help(command.spec)
        case .arguments(let arguments): return .command(command, arguments, global: global)
        }
    }

    private static func help(
        _ words: ArraySlice<RawString>, _ program: ProgramSpec, _ table: CommandTable<Context>
    ) throws(UsageError) -> Invocation {
        guard case .arguments(let arguments) = try ArgvParser.parse(words, for: .help, of: program) else {
            return .help(.help)
        }
        guard let topic = arguments.rawOperand("COMMAND") else { return .frontPage }
        if CommandSpec.help.isCalled(topic.text) { return .help(.help) }
        guard let command = table[topic.text] else { throw unknown(topic, program, table) }
        return .help(command.spec)
    }

    private static func unknown(
        _ word: RawString, _ program: ProgramSpec, _ table: CommandTable<Context>
    ) -> UsageError {
        let names = table.visibleSpecs.flatMap(\.names)
        let near = NearMiss.of(word.text, among: names)
        return UsageError("unknown command \(word)", hint: near.map { "Did you mean \($0)?" })
    }
}

extension CommandSpec {
    /// The command that every program has.
    package static let help = CommandSpec(
        "help", aliases: ["h", "he", "hel"], summary: "Show the help of a command", group: "Help",
        description: ["Shows the page of COMMAND, or an overview when none is named."],
        operands: [Operand("COMMAND", .topic, optional: true)])
}

extension CommandTable {
    /// What help lists and completions offer.
    package var visibleSpecs: [CommandSpec] { specs.filter { !$0.isHidden } + [.help] }
}

/// The words that the program was started with, byte for byte.
package enum ProcessArguments {
    /// Everything behind the program's name.
    package static var words: [RawString] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { RawString(cString: $0) }
        }
    }
}
