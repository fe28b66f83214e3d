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
        let found = try find(words, program, table)
        guard let command = found.command else {
            return .help(CommandGroup.spec(word.text, of: table.visibleSpecs))
        }
        switch try ArgvParser.parse(words.dropFirst(found.count), for: command.spec, of: program) {
        case .help: return .help(command.spec)
        case .arguments(let arguments): return .command(command, arguments, global: global)
        }
    }

    /// The command that `words` begin with, and of how many words its name is; none for a group's word alone.
    private static func find(
        _ words: [RawString], _ program: ProgramSpec, _ table: CommandTable<Context>
    ) throws(UsageError) -> (command: (any Command<Context>.Type)?, count: Int) {
        guard let word = words.first else { return (nil, 0) }
        if let command = table[word.text] { return (command, 1) }
        guard CommandGroup.names(in: table.visibleSpecs).contains(word.text) else {
            throw unknown(word.text, program, table)
        }
        guard words.count > 1, words[1].bytes.first != UInt8(ascii: "-") else { return (nil, 1) }
        let name = "\(word.text) \(words[1].text)"
        guard let command = table[name] else { throw unknown(name, program, table) }
        return (command, 2)
    }

    private static func help(
        _ words: ArraySlice<RawString>, _ program: ProgramSpec, _ table: CommandTable<Context>
    ) throws(UsageError) -> Invocation {
        guard case .arguments(let arguments) = try ArgvParser.parse(words, for: .help, of: program) else {
            return .help(.help)
        }
        guard let topic = arguments.rawOperand("COMMAND") else { return .frontPage }
        if CommandSpec.help.isCalled(topic.text) { return .help(.help) }
        let words = [topic] + (arguments.rawOperand("PART").map { [$0] } ?? [])
        let found = try find(words, program, table)
        guard let command = found.command else {
            return .help(CommandGroup.spec(topic.text, of: table.visibleSpecs))
        }
        guard found.count == words.count else {
            throw unknown(words.map(\.text).joined(separator: " "), program, table)
        }
        return .help(command.spec)
    }

    private static func unknown(
        _ words: String, _ program: ProgramSpec, _ table: CommandTable<Context>
    ) -> UsageError {
        let specs = table.visibleSpecs
        let near = NearMiss.of(words, among: specs.flatMap(\.names) + CommandGroup.names(in: specs))
        return UsageError("unknown command \(Quoted(words))", hint: near.map { "Did you mean \($0)?" })
    }
}

extension CommandSpec {
    /// The command that every program has.
    package static let help = CommandSpec(
        "help", aliases: ["h", "he", "hel"], summary: "Show the help of a command", group: "Help",
        description: ["Shows the page of COMMAND, or an overview when none is named."],
        operands: [Operand("COMMAND", .topic, optional: true), Operand("PART", optional: true)])
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
