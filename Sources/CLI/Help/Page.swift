/// What a page of help says, before it is laid out for a screen or a manual.
struct Page {
    enum Block {
        /// A command line, in parts that stay together.
        case synopsis([String])
        case paragraph(String)
        case rows([CommandSpec.Section.Row])
        case examples([CommandSpec.Example])
    }

    struct Section {
        let title: String
        let blocks: [Block]
    }

    /// What the page is about: the program, or the program and a command.
    let subject: [String]
    let summary: String
    let sections: [Section]

    /// The page of one command.
    init(_ spec: CommandSpec, of program: ProgramSpec) {
        subject = [program.name, spec.name]
        summary = spec.summary
        var usage: [Block] = [.synopsis([program.name] + spec.synopsis)]
        if !spec.aliases.isEmpty {
            usage.append(.paragraph("Aliases: " + spec.aliases.joined(separator: ", ")))
        }
        let about = spec.description.isEmpty ? [spec.summary + "."] : spec.description
        let flags = spec.visibleFlags + [.help]
        var sections = [
            Section(title: "Usage", blocks: usage),
            Section(title: "Description", blocks: about.map { .paragraph($0) }),
            Section(title: "Options", blocks: [.rows(flags.map(Self.row))]),
        ]
        sections += spec.sections.map(Self.section)
        if !spec.examples.isEmpty {
            sections.append(Section(title: "Examples", blocks: [.examples(spec.examples)]))
        }
        self.sections = sections
    }

    /// The page of the program, which lists its commands by their groups.
    init(_ program: ProgramSpec, commands: [CommandSpec]) {
        subject = [program.name]
        summary = program.summary
        let about = program.description.isEmpty ? [program.summary + "."] : program.description
        var sections = [
            Section(
                title: "Usage", blocks: [.synopsis([program.name, "[OPTIONS]", "COMMAND", "[ARGUMENTS]"])]),
            Section(title: "Description", blocks: about.map { .paragraph($0) }),
        ]
        var groups: [String] = []
        for command in commands where !groups.contains(command.group) { groups.append(command.group) }
        for group in groups {
            let rows = commands.filter { $0.group == group }.map {
                CommandSpec.Section.Row($0.names.prefix(2).joined(separator: ", "), $0.summary)
            }
            sections.append(Section(title: group, blocks: [.rows(rows)]))
        }
        sections.append(
            Section(title: "Options", blocks: [.rows((program.flags + [.help, .version]).map(Self.row))]))
        sections += program.sections.map(Self.section)
        if !program.examples.isEmpty {
            sections.append(Section(title: "Quick start", blocks: [.examples(program.examples)]))
        }
        sections.append(
            Section(
                title: "Getting help",
                blocks: [
                    .paragraph(
                        "The page of a command\(Self.groupsHint(commands)): \(program.name) help COMMAND")
                ]))
        self.sections = sections
    }

    private static func groupsHint(_ commands: [CommandSpec]) -> String {
        let groups = CommandGroup.names(in: commands)
        return groups.isEmpty ? "" : ", or of a group (\(groups.joined(separator: ", ")))"
    }

    private static func row(_ flag: Flag) -> CommandSpec.Section.Row {
        var text = flag.help
        if case .choice(let words) = flag.kind { text += " (\(words.joined(separator: ", ")))" }
        if flag.isRepeatable { text += "; may be repeated" }
        if !flag.aliases.isEmpty {
            text += "; also " + flag.aliases.map { "--\($0)" }.joined(separator: ", ")
        }
        return CommandSpec.Section.Row(flag.term, text)
    }

    private static func section(_ section: CommandSpec.Section) -> Section {
        let rows: [Block] = section.rows.isEmpty ? [] : [.rows(section.rows)]
        return Section(title: section.title, blocks: section.paragraphs.map { .paragraph($0) } + rows)
    }
}
