/// Completion for bash 4.2 or later, without need of the bash-completion package.
package struct BashCompletion {
    /// What a distribution installs it as.
    package var fileName: String { "\(program.name).bash" }

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
        """
        # bash completion for \(program.name), generated from its table of commands.

        # Says what belongs to the command $1.
        \(prefix)_spec() {
            name='' options='' operands=() repeated='' trailing='' group=''
            case $1 in
        \((commands + groups).map(specification).joined(separator: "\n"))
            esac
        }

        # Says what kind of value the option $2 of the command $1 takes.
        \(prefix)_value() {
            kind=''
            case $1:$2 in
        \(commands.flatMap(values).joined(separator: "\n"))
            esac
        }

        \(helpers)
        \(walk)
        complete -F \(prefix)_complete \(program.name)

        """
    }

    private var groups: [CommandSpec] { CommandGroup.specs(of: commands) }

    private func specification(_ spec: CommandSpec) -> String {
        let words = CompletionWords(spec)
        let options = words.flags.flatMap(\.spellings).joined(separator: " ")
        let operands = words.operands.map { CompletionWords.quote(CompletionWords.code($0)) }
        let names = spec.names.map(CompletionWords.word).joined(separator: "|")
        var lines = ["    \(names))", "        name=\(CompletionWords.word(spec.name))"]
        if groups.contains(where: { $0.name == spec.name }) { lines.append("        group=1") }
        lines.append("        options=\(CompletionWords.quote(options))")
        if !operands.isEmpty { lines.append("        operands=(\(operands.joined(separator: " ")))") }
        if words.isLastRepeated { lines.append("        repeated=1") }
        if let trailing = spec.trailing {
            lines.append("        trailing=\(trailing.allowsBareWords ? "bare" : "dashed")")
        }
        return (lines + ["        ;;"]).joined(separator: "\n")
    }

    private func values(_ spec: CommandSpec) -> [String] {
        CompletionWords(spec).valued.map { flag in
            let patterns = flag.spellings.map { "\(CompletionWords.word(spec.name)):\($0)" }.joined(
                separator: "|")
            return "    \(patterns)) kind=\(CompletionWords.quote(CompletionWords.code(flag.kind))) ;;"
        }
    }

    // A list of words is never given to `compgen -W`, which would expand what is in it.
    private var helpers: String {
        """
        # Keeps the lines of stdin that begin with the current word; names that a shell would read otherwise are left out.
        \(prefix)_match() {
            local word
            while IFS= read -r word; do
                [[ $word == "$value"* && $word != *[!A-Za-z0-9._/:@+=-]* ]] && COMPREPLY+=("$head$word$1")
            done
        }

        \(prefix)_files() {
            local word
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$head$word"); done < <(compgen "$1" -- "$value")
        }

        # Offers words of the kind $1 for what is typed of it in $value; $head stands before it in the same word.
        \(prefix)_offer() {
            local -a choices
            case $1 in
            containers|running|images) \(prefix)_match < <(command \(program.name) __complete "$1" 2>/dev/null) ;;
            images+files)
                \(prefix)_files -f
                [[ $value == [./~]* ]] || \(prefix)_match < <(command \(program.name) __complete images 2>/dev/null)
                ;;
            containers+files)
                \(prefix)_files -f
                [[ $value == *[:/]* ]] || \(prefix)_match : < <(command \(program.name) __complete containers 2>/dev/null)
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
                ;;
            files) \(prefix)_files -f ;;
            directories) \(prefix)_files -d ;;
            programs) \(prefix)_files -c ;;
            topics) \(prefix)_match <<< \(CompletionWords.quote(CompletionWords.topics(commands).joined(separator: "\n"))) ;;
            words*)
                read -ra choices <<< "${1#words }"
                \(prefix)_match < <(printf '%s\\n' "${choices[@]}")
                ;;
            esac
        }

        """
    }

    private var walk: String {
        let globals = (program.flags + [.help, .version]).flatMap(\.spellings).joined(separator: "\n")
        let names = CompletionWords.firstWords(commands).map(\.word).joined(separator: "\n")
        return """
            \(prefix)_complete() {
                local name options repeated trailing group kind head='' value word glue='' breaks='' cut i operand=0 inside='' skip=''
                local -a operands line=()
                COMPREPLY=()
                # bash has cut the line at each : and = as well: put those words together again.
                for ((i = 0; i <= COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}
                    if ((i == COMP_CWORD)) && [[ -z $word && ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]]; then
                        line+=('')
                    elif ((i > 1)) && [[ -n $glue || ( -n $word && -z ${word//[:=]/} ) ]]; then
                        line[${#line[@]} - 1]+=$word
                    else
                        line+=("$word")
                    fi
                    [[ -n $word && -z ${word//[:=]/} ]] && glue=1 || glue=''
                done
                local last=$((${#line[@]} - 1)) command=''
                value=${line[last]}
                local current=$value
                for ((i = 1; i < last; i++)); do
                    word=${line[i]}
                    if [[ -z $command ]]; then
                        [[ $word == -* ]] && continue
                        command=$word
                        \(prefix)_spec "$command"
                    elif [[ -n $skip ]]; then
                        skip=''
                    elif [[ $word == -- ]]; then
                        inside=$((i + 1))
                        break
                    elif [[ $word == -?* ]]; then
                        \(prefix)_value "$name" "$word"
                        skip=$kind
                    elif ((operand >= ${#operands[@]})) && [[ $trailing == bare && -z $repeated ]]; then
                        inside=$i
                        break
                    elif [[ -n $group ]]; then
                        \(prefix)_spec "$command $word"
                    else
                        ((operand += 1))
                    fi
                done
                [[ -n $repeated ]] && ((operand >= ${#operands[@]})) && operand=$((${#operands[@]} - 1))
                if [[ -z $command && $value == -* ]]; then
                    \(prefix)_match <<< \(CompletionWords.quote(globals))
                elif [[ -z $command ]]; then
                    \(prefix)_match <<< \(CompletionWords.quote(names))
                elif [[ -n $inside && -n $trailing ]]; then
                    ((inside == last)) && \(prefix)_files -c || \(prefix)_files -f
                elif [[ -z $inside && -n $skip ]]; then
                    \(prefix)_offer "$skip"
                elif [[ -z $inside && $value == --*=* ]]; then
                    head=${value%%=*}=
                    value=${value#*=}
                    \(prefix)_value "$name" "${head%=}"
                    \(prefix)_offer "$kind"
                elif [[ -z $inside && $value == -* ]]; then
                    \(prefix)_match < <(printf '%s\\n' $options)
                elif [[ -n ${operands[operand]} ]]; then
                    \(prefix)_offer "${operands[operand]}"
                elif [[ $trailing == bare ]]; then
                    \(prefix)_files -c
                fi
                # And bash replaces only what stands behind the last of them.
                [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
                [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
                if [[ -n $breaks && $current == *[$breaks]* ]]; then
                    cut=${current%"${current##*[$breaks]}"}
                    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
                fi
            }
            """
    }
}
