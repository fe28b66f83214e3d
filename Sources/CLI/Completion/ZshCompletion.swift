/// Completion for zsh, as a file for `fpath`.
package struct ZshCompletion {
    /// What a distribution installs it as.
    package var fileName: String { "_\(program.name)" }

    private let program: ProgramSpec
    private let commands: [CommandSpec]
    private let prefix: String

    /// `commands` are those to be offered, in the order of the help.
    package init(_ program: ProgramSpec, commands: [CommandSpec]) {
        self.program = program
        self.commands = commands
        prefix = "_" + CompletionWords.identifier(program)
    }

    /// The whole script.
    package var text: String {
        let globals = (program.flags + [.help, .version]).flatMap { arguments($0, among: []) }
        return """
            #compdef \(program.name)
            # zsh completion for \(program.name), generated from its table of commands.

            # Offers what the program names as containers, running or images; the rest of the words is for compadd.
            \(prefix)_ask() {
                local kind=$1
                shift
                local -a found
                found=(${(f)"$(command \(program.name) __complete $kind 2>/dev/null)"})
                compadd "$@" -a found
            }

            \(prefix)_containers() { \(prefix)_ask containers "$@" }
            \(prefix)_running() { \(prefix)_ask running "$@" }
            \(prefix)_images() { \(prefix)_ask images "$@" }
            \(prefix)_images_files() { _alternative 'images:image:\(prefix)_images' 'files:file:_files' }

            \(prefix)_containers_colon() { \(prefix)_ask containers "$@" -S : }
            \(prefix)_containers_files() {
                compset -P '*:' && { _files; return }
                _alternative 'containers:container:\(prefix)_containers_colon' 'files:file:_files'
            }

            \(prefix)_commands() {
                local -a found
                found=(
            \(listed.joined(separator: "\n"))
                )
                _describe -t commands command found
            }

            \(prefix)() {
                local curcontext=$curcontext state line
                typeset -A opt_args
                _arguments -C -S \\
            \(globals.map { "        \($0) \\" }.joined(separator: "\n"))
                    '1:command:\(prefix)_commands' '*:: :->arguments' && return
                [[ $state == arguments ]] || return 1
                curcontext=${curcontext%:*:*}:\(program.name)-$words[1]:
                local name=$words[1]
                if [[ $name == (\(CommandGroup.names(in: commands).joined(separator: "|"))) ]] && ((CURRENT > 2)); then
                    name+=" $words[2]"
                    shift words
                    ((CURRENT--))
                fi
                case $name in
            \((commands + CommandGroup.specs(of: commands)).map(body).joined(separator: "\n"))
                esac
            }

            \(prefix) "$@"

            """
    }

    private var listed: [String] {
        CompletionWords.firstWords(commands).map {
            "        " + CompletionWords.quote("\($0.word):\($0.summary)")
        }
    }

    private func body(_ spec: CommandSpec) -> String {
        let words = CompletionWords(spec)
        var lines = words.flags.flatMap { arguments($0, among: words.flags) }
        for (index, operand) in spec.operands.enumerated() {
            let position = operand.isRepeatable ? "*" : "\(index + 1)"
            let optional = operand.isOptional && !operand.isRepeatable ? ":" : ""
            lines.append(
                CompletionWords.quote("\(position):\(optional)\(operand.name):\(action(operand.kind))"))
        }
        if let trailing = spec.trailing {
            lines.append(CompletionWords.quote("*:::\(trailing.name):_normal"))
        }
        return """
                \(spec.names.map(CompletionWords.word).joined(separator: "|")))
                    _arguments -s -S \\
            \(lines.map { "            \($0)" }.joined(separator: " \\\n"))
                    ;;
            """
    }

    /// The flag's spellings as `_arguments` wants them: what rules it out, the spelling, the help, the value.
    private func arguments(_ flag: Flag, among flags: [Flag]) -> [String] {
        let rivals = flags.filter { $0.group != nil && $0.group == flag.group && $0.name != flag.name }
        let excluded = (flag.isRepeatable ? [] : flag.spellings) + rivals.flatMap(\.spellings)
        return flag.spellings.map { spelling in
            let guarded = excluded.isEmpty ? "" : "(\(excluded.joined(separator: " ")))"
            let attached = spelling.hasPrefix("--") ? "=" : "+"
            let suffix = flag.value == nil ? "" : flag.isValueOptional ? "\(attached)-" : attached
            let colon = flag.isValueOptional ? "::" : ":"
            let value = flag.value.map { "\(colon)\(escape($0)):\(action(flag.kind))" } ?? ""
            let text =
                "\(flag.isRepeatable ? "*" : guarded)\(spelling)\(suffix)[\(escape(flag.help))]\(value)"
            return CompletionWords.quote(text)
        }
    }

    private func action(_ kind: ValueKind) -> String {
        switch kind {
        case .text: " "
        case .container: "\(prefix)_containers"
        case .running: "\(prefix)_running"
        case .image: "\(prefix)_images"
        case .imageOrFile: "\(prefix)_images_files"
        case .containerPath: "\(prefix)_containers_files"
        case .file: "_files"
        case .directory: "_files -/"
        case .program: "_command_names -e"
        case .topic: "\(prefix)_commands"
        case .suggestion(let words), .choice(let words): "(\(words.joined(separator: " ")))"
        }
    }

    private func escape(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}
