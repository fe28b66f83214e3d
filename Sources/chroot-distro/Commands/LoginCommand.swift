import CLI
import Platform
import Store

struct LoginCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "login", aliases: ["sh"], summary: "Start a shell or a command in a container",
        group: "Living in containers",
        description: [
            "Starts the login shell of a user in the container, or the COMMAND that follows. The words of COMMAND reach it unchanged: no shell reads them first.",
            "The exit status is that of the command: 126 when it cannot be executed, 127 when it is not found, 128+N when signal N killed it.",
        ],
        operands: [Operand("CONTAINER", .container)],
        trailing: TrailingWords("COMMAND", allowsBareWords: true), flags: SessionOptions.flags,
        examples: [
            .init("chroot-distro login debian"),
            .init("chroot-distro login debian --user alice -- ls -l /home"),
            .init("chroot-distro login debian --bind /srv/data:/data:ro"),
        ])

    private let name: ContainerName
    private let options: SessionOptions

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        options = try SessionOptions(arguments, kind: .login)
    }

    func run(in context: borrowing Context) throws -> ExitStatus { try options.launch(name, in: context) }
}
