import CLI
import Libc
import Platform

/// Writes the completions or the man pages, for packages and `make install`.
struct GenerateCommand: Command {
    static let spec = CommandSpec(
        "__generate", summary: "Write completions or man pages into a directory",
        operands: [Operand("KIND", .choice(["completions", "man"])), Operand("DIRECTORY", .directory)],
        hidden: true)

    private let kind: String
    private let directory: HostPath

    init(_ arguments: ParsedArguments) throws(UsageError) {
        kind = try arguments.operand("KIND")
        directory = HostPath(try arguments.operand("DIRECTORY"))
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let target = try Directory.open(directory)
        for (name, text) in files { try target.replaceFile(RawString(name), with: Array(text.utf8)) }
        return .success
    }

    private var files: [(String, String)] {
        let commands = Program.table.visibleSpecs
        guard kind == "completions" else {
            return ManPage.all(of: Program.spec, commands: commands, date: Program.date).map {
                ($0.fileName, $0.text)
            }
        }
        let bash = BashCompletion(Program.spec, commands: commands)
        let zsh = ZshCompletion(Program.spec, commands: commands)
        let fish = FishCompletion(Program.spec, commands: commands)
        return [(bash.fileName, bash.text), (zsh.fileName, zsh.text), (fish.fileName, fish.text)]
    }
}
