/// Commands whose names begin with the same word, such as `image ls` and `image rm`; an alias counts, too.
enum CommandGroup {
    /// The words with which names of two words begin, in the order of `specs`.
    static func names(in specs: [CommandSpec]) -> [String] {
        var names: [String] = []
        for name in specs.flatMap(\.names) {
            guard let blank = name.firstIndex(of: " ") else { continue }
            let group = String(name[..<blank])
            if !names.contains(group) { names.append(group) }
        }
        return names
    }

    /// What help says of a group, and what completions offer behind its word.
    static func spec(_ name: String, of specs: [CommandSpec]) -> CommandSpec {
        let members = specs.compactMap { spec in
            spec.names.first { $0.hasPrefix("\(name) ") }.map { (spec: spec, name: $0) }
        }
        let words = members.map { String($0.name.dropFirst(name.count + 1)) }
        return CommandSpec(
            name, summary: "Has the commands \(words.joined(separator: ", "))",
            group: members.first?.spec.group ?? "Commands",
            operands: [Operand("COMMAND", .choice(words))],
            sections: [
                CommandSpec.Section(
                    "Commands", rows: members.map { CommandSpec.Section.Row($0.name, $0.spec.summary) })
            ])
    }

    /// A page for each group.
    static func specs(of specs: [CommandSpec]) -> [CommandSpec] {
        names(in: specs).map { spec($0, of: specs) }
    }
}
