import Platform
import Testing

@testable import CLI

/// A shell's completion script beside a program that answers its questions.
private struct Installation {
    let scratch = Scratch()

    init() {
        scratch.write(
            """
            #!/bin/sh
            case "$2" in
            containers) printf '%s\\n' deb debian-test alpine '$(touch pwned)' ;;
            running) echo alpine ;;
            images) printf '%s\\n' debian:12 debian:13 ghcr.io/me/app:1 ;;
            esac

            """, to: "chroot-distro", mode: 0o755)
        let commands = ExampleProgram.table.visibleSpecs
        scratch.write(BashCompletion(ExampleProgram.spec, commands: commands).text, to: "bash")
        scratch.write(ZshCompletion(ExampleProgram.spec, commands: commands).text, to: "_chroot-distro")
        scratch.write(FishCompletion(ExampleProgram.spec, commands: commands).text, to: "fish")
        scratch.write("", to: "notes.txt")
        scratch.write("", to: "with blank")
    }

    /// Runs a program in the scratch directory, which comes first in the search path.
    func run(_ command: String) -> String {
        Shell.run("cd '\(scratch.path)' && HOME=$PWD PATH=$PWD:$PATH && export HOME PATH && \(command) 2>&1")
    }

    /// What bash offers at the end of `line`, which it cuts at blanks, colons and equal signs.
    func bash(_ line: String) -> [String] {
        var words: [String] = []
        var breaks = true
        for character in line {
            let kind = character == " " ? 0 : ":=".contains(character) ? 1 : 2
            if kind == 0 {
                breaks = true
            } else if breaks || (kind == 1) != (words.last?.last.map { ":=".contains($0) } ?? false) {
                words.append(String(character))
                breaks = false
            } else {
                words[words.count - 1].append(character)
            }
        }
        if line.last.map({ " :=".contains($0) }) ?? true { words.append("") }
        let quoted = words.map { CompletionWords.quote($0) }.joined(separator: " ")
        let script = """
            source ./bash
            COMP_WORDS=(\(quoted)) COMP_CWORD=\(words.count - 1) COMP_LINE=\(CompletionWords.quote(line))
            COMP_POINT=${#COMP_LINE}
            __chroot_distro_complete
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let file = scratch.write(script, to: "script")
        return run("bash --norc \(file)").split(separator: "\n").map(String.init).sorted()
    }

    /// What fish offers at the end of `line`, without the descriptions.
    func fish(_ line: String) -> [String] {
        let script = "source ./fish; complete -C \(CompletionWords.quote(line))"
        let file = scratch.write(script, to: "script")
        return run("fish --no-config \(file)").split(separator: "\n")
            .map { String($0.prefix { $0 != "\t" }) }.sorted()
    }
}

@Suite("Completion") struct CompletionTests {
    /// A line, and what every shell offers for it.
    static let cases: [(String, [String])] = [
        ("chroot-distro lo", ["login"]), ("chroot-distro in", ["in", "ins", "install"]),
        ("chroot-distro --no", ["--no-elevate"]), ("chroot-distro --no-elevate inst", ["install"]),
        ("chroot-distro login --iso", ["--isolate", "--isolated"]), ("chroot-distro sh --us", ["--user"]),
        ("chroot-distro login de", ["deb", "debian-test"]),
        ("chroot-distro login -u root de", ["deb", "debian-test"]),
        ("chroot-distro login --user root --minimal al", ["alpine"]),
        ("chroot-distro list --sort ", ["name", "size"]), ("chroot-distro install -a x", ["x86_64"]),
        ("chroot-distro help insta", ["install"]), ("chroot-distro login --user de", []),
        ("chroot-distro __comp", []), ("chroot-distro install --override", []),
        ("chroot-distro login --bind no", ["notes.txt"]),
        ("chroot-distro copy not", ["notes.txt"]), ("chroot-distro copy a al", ["alpine:"]),
        ("chroot-distro pictu", ["picture"]), ("chroot-distro picture ", ["drop", "show"]),
        ("chroot-distro picture sh", ["show"]), ("chroot-distro picture show --fu", ["--full"]),
        ("chroot-distro picture discard --sort ", ["fast", "slow"]), ("chroot-distro help pic", ["picture"]),
    ]

    @Test("bash", .enabled(if: Shell.has("bash")), arguments: cases)
    func bash(line: String, expected: [String]) {
        #expect(Installation().bash(line) == expected)
    }

    @Test(
        "bash puts words together that it cut itself", .enabled(if: Shell.has("bash")),
        arguments: [
            ("chroot-distro install debian:", ["12", "13"]),
            ("chroot-distro install debian:1", ["12", "13"]),
            ("chroot-distro install ghcr.io/me/app:", ["1"]),
            ("chroot-distro install gh", ["ghcr.io/me/app:1"]),
            ("chroot-distro list --sort=na", ["name"]), ("chroot-distro list --sort=", ["name", "size"]),
            ("chroot-distro login --env A=B:C al", ["alpine"]), ("chroot-distro copy with", ["with blank"]),
            ("chroot-distro login deb -- /bin/tru", ["/bin/true", "/bin/truncate"]),
            ("chroot-distro login deb /bin/tru", ["/bin/true", "/bin/truncate"]),
        ])
    func bashWords(line: String, expected: [String]) {
        #expect(Installation().bash(line) == expected)
    }

    @Test("a name that is shell code is neither run nor offered", .enabled(if: Shell.has("bash")))
    func hostileNames() {
        let installation = Installation()
        #expect(installation.bash("chroot-distro login ") == ["alpine", "deb", "debian-test"])
        #expect(!installation.run("ls").contains("pwned"))
    }

    @Test("fish", .enabled(if: Shell.has("fish")), arguments: cases)
    func fish(line: String, expected: [String]) {
        #expect(Installation().fish(line) == expected)
    }

    @Test("fish knows where the inner command begins", .enabled(if: Shell.has("fish")))
    func fishInside() {
        #expect(Installation().fish("chroot-distro login deb -- /bin/tru").contains("/bin/true"))
        #expect(!Installation().fish("chroot-distro login deb -- --us").contains("--user"))
    }

    @Test("zsh", .enabled(if: Shell.has("zsh")), arguments: cases.filter { !$0.1.isEmpty })
    func zsh(line: String, expected: [String]) {
        let installation = Installation()
        // A zsh in a terminal of its own, whose compadd tells what it is given.
        let script = """
            zmodload zsh/zpty
            zpty inner zsh -f -i
            say() { zpty -w inner "$1"; }
            say 'PROMPT= ; PS2= ; stty -echo; fpath=(\(installation.scratch.path) $fpath); autoload -Uz compinit; compinit -u -D'
            say 'zstyle ":completion:*" list-colors ""; LISTMAX=0; unsetopt always_last_prompt; setopt no_beep'
            say 'compadd() { local -a hits; builtin compadd -O hits "$@"; (( $#hits )) && print -rl -- $hits >> result; builtin compadd "$@" }'
            say 'tell() { : > result; LBUFFER=$LINE_TEXT; zle complete-word; print -r done >> result; zle kill-buffer }'
            say 'zle -N tell; bindkey "^T" tell'
            say 'LINE_TEXT=\(CompletionWords.quote(line).replacing("'", with: "\""))'
            sleep 0.3
            zpty -w -n inner $'\\x14'
            for ((i = 0; i < 1200; i++)); do sleep 0.05; [[ -f result ]] && grep -qx done result && break; done
            zpty -d inner
            cat result
            """
        let file = installation.scratch.write(script, to: "script")
        let offered = Set(installation.run("zsh -f \(file)").split(separator: "\n").map(String.init))
        #expect(offered.isSuperset(of: expected.map { $0 == "alpine:" ? "alpine" : $0 }), "\(offered)")
    }

    @Test("scripts are named for the program")
    func names() {
        #expect(BashCompletion(ExampleProgram.spec, commands: []).fileName == "chroot-distro.bash")
        #expect(ZshCompletion(ExampleProgram.spec, commands: []).fileName == "_chroot-distro")
        #expect(FishCompletion(ExampleProgram.spec, commands: []).fileName == "chroot-distro.fish")
    }

    @Test(
        "scripts without mistakes of grammar",
        arguments: [("bash", "bash -n bash"), ("zsh", "zsh -n _chroot-distro"), ("fish", "fish -n fish")])
    func syntax(shell: String, command: String) {
        guard Shell.has(shell) else { return }
        #expect(Installation().run(command).isEmpty)
    }
}
