/// Completion for fish 3.0 or later.
package struct FishCompletion {
    /// What a distribution installs it as.
    package var fileName: String { "\(program.name).fish" }

    private let program: ProgramSpec
    private let commands: [CommandSpec]
    private let prefix: String

    /// `commands` are those to be offered, in the order of the help.
    package init(_ program: ProgramSpec, commands: [CommandSpec]) {
        self.program = program
        self.commands = commands
        prefix = "__" + CompletionWords.identifier(program)
    }

    /// The whole script.
    package var text: String {
        let globals = (program.flags + [.help, .version]).map { rule("_at ''", $0) }
        let names = CompletionWords.firstWords(commands).map {
            rule("_at ''", "-a \($0.word) -d \(quote($0.summary))")
        }
        let groups = CommandGroup.specs(of: commands)
        let lines = [
            "# fish completion for \(program.name), generated from its table of commands.", "", walk,
            "complete -c \(program.name) -f",
        ]
        return (lines + globals + names + (commands + groups).flatMap(rules)).joined(separator: "\n") + "\n"
    }

    private func rules(_ spec: CommandSpec) -> [String] {
        let name = CompletionWords.word(spec.name)
        var rules = CompletionWords(spec).flags.map { rule("_at \(name)", $0) }
        for (index, operand) in spec.operands.enumerated() {
            let position = operand.isRepeatable ? "\(index)+" : "\(index)"
            guard let offer = offer(operand.kind) else { continue }
            rules.append(rule("_at \(name) \(position)", offer))
        }
        if spec.trailing != nil {
            rules.append(rule("_at \(name) inside", "-a '(complete -C (commandline -ct))'"))
        }
        return rules
    }

    private func rule(_ condition: String, _ flag: Flag) -> String {
        var words: [String] = flag.short.map { ["-s \($0)"] } ?? []
        words += flag.longNames.map { "-l \($0)" }
        if flag.takesNextWord { words.append(offer(flag.kind).map { "-r \($0)" } ?? "-x") }
        return rule(condition, (words + ["-d \(quote(flag.help))"]).joined(separator: " "))
    }

    private func rule(_ condition: String, _ rest: String) -> String {
        "complete -c \(program.name) -n \(quote(prefix + condition)) \(rest)"
    }

    private func offer(_ kind: ValueKind) -> String? {
        let ask = "command \(program.name) __complete"
        return switch kind {
        case .text: nil
        case .container: "-f -a '(\(ask) containers 2>/dev/null)'"
        case .running: "-f -a '(\(ask) running 2>/dev/null)'"
        case .image: "-f -a '(\(ask) images 2>/dev/null)'"
        case .imageOrFile: "-F -a '(\(ask) images 2>/dev/null)'"
        case .containerPath: "-F -a '(for name in (\(ask) containers 2>/dev/null); echo $name:; end)'"
        case .file: "-F"
        case .directory: "-f -a '(__fish_complete_directories)'"
        case .program: "-f -a '(complete -C (commandline -ct))'"
        case .topic: "-f -a \(quote(CompletionWords.topics(commands).joined(separator: " ")))"
        case .suggestion(let words), .choice(let words): "-f -a \(quote(words.joined(separator: " ")))"
        }
    }

    /// A function that knows which command and which operand the cursor is at.
    private var walk: String {
        let groups = CommandGroup.names(in: commands)
        let specs = (commands + CommandGroup.specs(of: commands)).map { spec in
            let words = CompletionWords(spec)
            let valued = words.valued.flatMap(\.spellings).joined(separator: " ")
            let bare = spec.trailing?.allowsBareWords == true ? spec.operands.count : -1
            return """
                            case \(spec.names.map(CompletionWords.word).joined(separator: " "))
                                set name \(CompletionWords.word(spec.name))
                                set group \(groups.contains(spec.name) ? spec.name : "''")
                                set valued \(valued)
                                set bare \(bare)
                                set trailing \(spec.trailing == nil ? 0 : 1)
                """
        }
        return """
            # Whether the cursor is at the command $argv[1] and, when given, at its operand $argv[2]: a number counted
            # from 0, a number and a + for that one and all behind it, or the word inside for the words handed on.
            function \(prefix)_at
                set -l tokens (commandline -opc)
                set -l name ''
                set -l operand 0
                set -l valued
                set -l bare -1
                set -l trailing 0
                set -l inside 0
                set -l plain 0
                set -l skip 0
                set -l group ''
                for token in $tokens[2..-1]
                    if test -z "$name" -o -n "$group"
                        switch (string trim -- "$group $token")
                            case '-*' '* -*'
                                continue
            \(specs.joined(separator: "\n"))
                            case '*'
                                return 1
                        end
                    else if test $skip -eq 1
                        set skip 0
                    else if test $plain -eq 0; and test "$token" = "--"
                        set plain 1
                        if test $trailing -eq 1
                            set inside 1
                            break
                        end
                    else if test $plain -eq 0; and string match -q -- '-?*' $token
                        contains -- $token $valued; and set skip 1
                    else
                        set operand (math $operand + 1)
                        if test $bare -ge 0 -a $operand -gt $bare
                            set inside 1
                            break
                        end
                    end
                end
                test $bare -ge 0 -a $operand -ge $bare; and set -l ready 1; or set -l ready 0
                test "$name" = "$argv[1]"; or return 1
                switch "$argv[2]"
                    case ''
                        test $inside -eq 0 -a $plain -eq 0
                    case inside
                        test $inside -eq 1 -o $ready -eq 1
                    case '*+'
                        test $inside -eq 0 -a $operand -ge (string trim -r -c + -- $argv[2])
                    case '*'
                        test $inside -eq 0 -a $operand -eq $argv[2]
                end
            end

            """
    }

    private func quote(_ text: String) -> String {
        "'" + text.map { "'\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "'"
    }
}
