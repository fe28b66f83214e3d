import CLI
import Platform
import Session
import Store

struct RunCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "run", summary: "Run what the image was made for", group: "Living in containers",
        description: [
            "Runs the Entrypoint and Cmd that the image defines, as its User and in its WorkingDir. Words after -- take the place of Cmd."
        ],
        operands: [Operand("CONTAINER", .container)], trailing: TrailingWords("ARG", allowsBareWords: false),
        flags: [
            Flag("entrypoint", value: "PROGRAM", help: "Run this instead of the image's Entrypoint and Cmd")
        ] + SessionOptions.flags,
        examples: [
            .init("chroot-distro run hello-world"), .init("chroot-distro run debian -- /bin/echo hi"),
        ])

    private let name: ContainerName
    private let options: SessionOptions

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        var options = try SessionOptions(arguments, kind: .run)
        options.request.entrypoint = try arguments.text("entrypoint")
        self.options = options
    }

    func run(in context: borrowing Context) throws -> ExitStatus { try options.launch(name, in: context) }
}
