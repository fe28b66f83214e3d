import Platform

/// What a command line said, by the names of the command's table.
///
/// Bytes are kept as they came; a text is asked for where only a text makes sense. Asking for a name that is not in
/// the table is a mistake of the program and stops it.
package struct ParsedArguments: Sendable {
    /// The command whose words these are.
    package let spec: CommandSpec
    private var occurrences: [(flag: String, value: RawString?)] = []
    private var words: [RawString] = []
    /// The words of the command to run inside; `nil` when there was neither such a word nor a `--`.
    package internal(set) var trailing: [RawString]?

    init(_ spec: CommandSpec) { self.spec = spec }

    /// The flags as they were given, in the order of the command line, by their long names.
    package var flags: [(name: String, value: RawString?)] {
        occurrences.map { (name: $0.flag, value: $0.value) }
    }

    /// Whether the flag was given.
    package func isSet(_ flag: String) -> Bool { count(flag) > 0 }

    /// How often the flag was given.
    package func count(_ flag: String) -> Int { found(flag).count }

    /// The last value of the flag.
    package func raw(_ flag: String) -> RawString? { found(flag).last }

    /// Every value of the flag, in the order of the command line.
    package func raws(_ flag: String) -> [RawString] { found(flag) }

    /// The last value of the flag as text.
    package func text(_ flag: String) throws(UsageError) -> String? {
        guard let value = raw(flag) else { return nil }
        return try decode(value, of: "--\(flag)")
    }

    /// Every value of the flag as text.
    package func texts(_ flag: String) throws(UsageError) -> [String] {
        var texts: [String] = []
        for value in raws(flag) { texts.append(try decode(value, of: "--\(flag)")) }
        return texts
    }

    /// The last value of the flag as a number within `range`.
    package func number(_ flag: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = try text(flag) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let limits =
                range.upperBound == .max
                ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
            throw invalid(flag, "\(Quoted(text)) is not a whole number \(limits)")
        }
        return number
    }

    /// The word that stands for this operand, such as `CONTAINER`.
    package func rawOperand(_ name: String) -> RawString? {
        let index = position(of: name)
        return index < words.count ? words[index] : nil
    }

    /// The words from this operand on; the last operand of a command may have several.
    package func rawOperands(_ name: String) -> [RawString] { Array(words.dropFirst(position(of: name))) }

    /// The text that stands for this operand; the parser has made sure of those that are not optional.
    package func operand(_ name: String) throws(UsageError) -> String {
        guard let text = try optionalOperand(name) else { throw missing(name) }
        return text
    }

    /// The text that stands for this operand, if there is one.
    package func optionalOperand(_ name: String) throws(UsageError) -> String? {
        guard let word = rawOperand(name) else { return nil }
        return try decode(word, of: name)
    }

    /// The texts from this operand on.
    package func operands(_ name: String) throws(UsageError) -> [String] {
        var texts: [String] = []
        for word in rawOperands(name) { texts.append(try decode(word, of: name)) }
        return texts
    }

    /// A complaint about the value of a flag, to be thrown by the command that reads it.
    package func invalid(_ flag: String, _ reason: String, hint: String? = nil) -> UsageError {
        UsageError("\(spec.name): --\(flag): \(reason)", hint: hint, command: spec.name)
    }

    func missing(_ operand: String) -> UsageError {
        UsageError("\(spec.name): \(operand) is missing", command: spec.name)
    }

    private func decode(_ value: RawString, of title: String) throws(UsageError) -> String {
        guard let text = String(validating: value.bytes, as: UTF8.self) else {
            throw UsageError("\(spec.name): \(title): \(value) is not UTF-8 text", command: spec.name)
        }
        return text
    }

    private func found(_ flag: String) -> [RawString] {
        precondition(spec.flag(flag) != nil, "\(spec.name) has no flag --\(flag)")
        return occurrences.compactMap { $0.flag == flag ? $0.value ?? "" : nil }
    }

    private func position(of name: String) -> Int {
        guard let index = spec.operands.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(spec.name) has no operand \(name)")
        }
        return index
    }
}

extension ParsedArguments {
    var operandCount: Int { words.count }

    mutating func append(operand: RawString) { words.append(operand) }

    mutating func append(_ flag: Flag, _ value: RawString?) throws(UsageError) {
        if let group = flag.group {
            for (name, _) in occurrences where name != flag.name {
                guard let other = spec.flag(name), other.group == group else { continue }
                throw UsageError(
                    "\(spec.name): \(flag.title) cannot stand together with \(other.title)",
                    hint: "Leave one of them out.", command: spec.name)
            }
        }
        if let value, case .choice(let words) = flag.kind, !words.contains(value.text) {
            let near = NearMiss.of(value.text, among: words).map { "Did you mean \($0)? " } ?? ""
            throw invalid(
                flag.name, "\(value) is not known", hint: near + "Known: \(words.joined(separator: ", ")).")
        }
        occurrences.append((flag.name, value))
    }
}
