import Platform

/// Takes the words behind a command's name apart by the command's table.
///
/// Options and operands may be mixed. Long options may be shortened as far as they stay unambiguous, and take their
/// value after `=` or as the next word; short ones may be glued to each other and to their value. The first `--`
/// ends the options; where the command takes trailing words, it begins them.
package struct ArgvParser {
    /// What the words turned out to be.
    package enum Outcome: Sendable {
        case arguments(ParsedArguments)
        /// Somebody asked for the command's help instead.
        case help
    }

    private enum Match {
        case flag(Flag)
        case help
    }

    private let spec: CommandSpec
    private let program: ProgramSpec
    private var words: ArraySlice<RawString>
    private var result: ParsedArguments

    /// Parses the words behind the name of the command.
    package static func parse(
        _ words: some Collection<RawString>, for spec: CommandSpec, of program: ProgramSpec
    ) throws(UsageError) -> Outcome {
        var parser = ArgvParser(words, spec, program)
        do {
            return try parser.run()
        } catch {
            // Whoever asks for help is not told off for the rest of the line.
            let rest = parser.words.prefix { $0 != "--" }
            if rest.contains(where: { ["-h", "--help", "--usage"].contains($0.text) }) { return .help }
            throw error
        }
    }

    private init(_ words: some Collection<RawString>, _ spec: CommandSpec, _ program: ProgramSpec) {
        self.words = Array(words)[...]
        self.spec = spec
        self.program = program
        result = ParsedArguments(spec)
    }

    private mutating func run() throws(UsageError) -> Outcome {
        while let word = words.popFirst() {
            if word == "--" {
                try takeRest()
            } else if word.bytes.starts(with: "--".utf8) {
                guard try takeLong(word) else { return .help }
            } else if word.bytes.first == UInt8(ascii: "-"), word.bytes.count > 1 {
                guard try takeShort(word) else { return .help }
            } else {
                try takeOperand(word)
            }
        }
        let required = spec.operands.filter { !$0.isOptional }
        guard result.operandCount >= required.count else {
            throw missing(required[result.operandCount].name)
        }
        return .arguments(result)
    }

    // MARK: Operands

    /// What stands behind the first `--`.
    private mutating func takeRest() throws(UsageError) {
        if spec.trailing != nil {
            result.trailing = Array(words)
            words = []
        }
        while let word = words.popFirst() { try takeOperand(word) }
    }

    private mutating func takeOperand(_ word: RawString) throws(UsageError) {
        if result.operandCount < spec.operands.count || spec.operands.last?.isRepeatable == true {
            result.append(operand: word)
        } else if spec.trailing?.allowsBareWords == true {
            // From here on everything is meant for the command inside, its options too.
            result.trailing = [word] + words
            words = []
        } else {
            let example = (["--", word] as [RawString]).map(\.description).joined(separator: " ")
            throw usage(
                "unexpected argument \(word)",
                spec.trailing.map { "The words of \($0.name) come after a --, like this: \(example)" })
        }
    }

    private func missing(_ operand: String) -> UsageError {
        guard result.trailing != nil else { return usage("\(operand) is missing") }
        return usage("\(operand) is missing", "It comes before the --.")
    }

    // MARK: Options

    /// Takes a long option; `false` when it asks for help.
    private mutating func takeLong(_ word: RawString) throws(UsageError) -> Bool {
        let body = word.bytes.dropFirst(2)
        let name = body.prefix { $0 != UInt8(ascii: "=") }
        let attached = name.count < body.count ? RawString(bytes: body.dropFirst(name.count + 1)) : nil
        guard let text = String(validating: name, as: UTF8.self), !text.isEmpty else {
            throw unknown("\(word)")
        }
        switch try match(text) {
        case .help: return false
        case .flag(let flag) where flag.value == nil:
            guard attached == nil else { throw usage("\(flag.title) takes no value") }
            try result.append(flag, nil)
        case .flag(let flag) where flag.isValueOptional:
            try result.append(flag, attached)
        case .flag(let flag):
            let value = if let attached { attached } else { try nextValue(of: flag) }
            try result.append(flag, value)
        }
        return true
    }

    /// Takes a word of short options; `false` when one of them asks for help.
    private mutating func takeShort(_ word: RawString) throws(UsageError) -> Bool {
        var letters = word.bytes.dropFirst()
        while let letter = letters.popFirst() {
            let character = Character(Unicode.Scalar(letter))
            guard let flag = spec.flags.first(where: { $0.short == character }) else {
                if character == Flag.help.short { return false }
                throw unknown(letter < 0x80 ? "-\(Quoted(String(character)))" : "\(word)")
            }
            guard flag.takesNextWord else {
                try result.append(flag, nil)
                continue
            }
            // `-u=root` means the same as `-uroot`.
            let value = letters.first == UInt8(ascii: "=") ? letters.dropFirst() : letters
            try result.append(flag, try letters.isEmpty ? nextValue(of: flag) : RawString(bytes: value))
            return true
        }
        return true
    }

    /// The next word as a value; one that looks like an option is taken for a value that was forgotten.
    private mutating func nextValue(of flag: Flag) throws(UsageError) -> RawString {
        let placeholder = flag.value ?? ""
        guard let next = words.first, next != "--" else {
            throw usage("\(flag.title) needs a value: --\(flag.name) \(placeholder)")
        }
        if next.bytes.first == UInt8(ascii: "-"), next.bytes.count > 1 {
            throw usage(
                "\(flag.title) needs a value, but \(next) looks like an option",
                "If it is the value, write: --\(flag.name)=\(next)")
        }
        words = words.dropFirst()
        return next
    }

    private func match(_ name: String) throws(UsageError) -> Match {
        if let exact = spec.flags.first(where: { $0.longNames.contains(name) }) { return .flag(exact) }
        if name == Flag.help.name || name == Flag.usage.name { return .help }
        var candidates: [(flag: Flag, name: String)] = []
        for flag in spec.flags where !flag.isHidden {
            if let full = flag.longNames.first(where: { $0.hasPrefix(name) }) {
                candidates.append((flag, full))
            }
        }
        if let only = candidates.first, candidates.count == 1 { return .flag(only.flag) }
        guard candidates.isEmpty else {
            let names = candidates.map { "--\($0.name)" }.joined(separator: ", ")
            throw usage("--\(Quoted(name)) can mean several options", "Write one of: \(names)")
        }
        if [Flag.help.name, Flag.usage.name].contains(where: { $0.hasPrefix(name) }) { return .help }
        throw unknown("--\(Quoted(name))")
    }

    // MARK: Complaints

    private func unknown(_ option: String) -> UsageError {
        let global = (program.flags + [.version]).first { $0.spellings.contains(option) }
        if let global, spec.name != program.name {
            let line = "\(program.name) \(option) \(spec.name)"
            return usage("\(global.title) must stand before the command", "Write: \(line) ...")
        }
        let known = (spec.visibleFlags + [.help]).flatMap(\.spellings).filter {
            $0.hasPrefix("--") == option.hasPrefix("--")
        }
        if let near = NearMiss.of(option, among: known), option.hasPrefix("--") {
            return usage("unknown option \(option)", "Did you mean \(near)?")
        }
        if spec.name == program.name {
            return usage("unknown option \(option)", "The options of a command come after its name.")
        }
        if spec.trailing != nil, result.operandCount == spec.operands.count {
            return usage("unknown option \(option)", "What is meant for the command inside comes after a --.")
        }
        return usage("unknown option \(option)")
    }

    private func usage(_ message: String, _ hint: String? = nil) -> UsageError {
        let command = spec.name == program.name ? nil : spec.name
        return UsageError((command.map { "\($0): " } ?? "") + message, hint: hint, command: command)
    }
}
