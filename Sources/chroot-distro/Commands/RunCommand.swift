import CLI
import Platform
import Session
import Store

struct RunCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "run", summary: "Run what the image was made for", group: "Living in containers",
        description: [
            "Runs the Entrypoint and Cmd that the image defines, as its User and in its WorkingDir. Words after -- take the place of Cmd.",
            "With --rm, what is no installed container is taken for an image: a reference, or the path of an archive or layout. It is not installed; its files are kept in the cache for a week after it was last used.",
        ],
        operands: [Operand("CONTAINER", .container)], trailing: TrailingWords("ARG", allowsBareWords: false),
        flags: [
            Flag("entrypoint", value: "PROGRAM", help: "Run this instead of the image's Entrypoint and Cmd")
        ] + SessionOptions.flags,
        examples: [
            .init("chroot-distro run hello-world"), .init("chroot-distro run debian -- /bin/echo hi"),
            .init("chroot-distro run --rm alpine:3.20 -- cat /etc/os-release"),
        ])

    private let word: String
    /// The word as the name of a container; `nil` when it can only be an image.
    private let name: ContainerName?
    private let options: SessionOptions

    init(_ arguments: ParsedArguments) throws(UsageError) {
        var options = try SessionOptions(arguments, kind: .run)
        options.request.entrypoint = try arguments.text("entrypoint")
        word = try arguments.operand("CONTAINER")
        name = options.request.isEphemeral ? try? ContainerName(word) : try arguments.container("CONTAINER")
        self.options = options
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        guard options.request.isEphemeral, try !isKnown(context) else {
            guard let name else { return .failure }
            return try options.launch(name, in: context)
        }
        return try ImageRun(InstallSource(word, home: context.caller.home), options).run(in: context)
    }

    private func isKnown(_ context: borrowing Context) throws -> Bool {
        guard let name else { return false }
        return try context.store().contains(name) || SessionRegistry.isRunning(name, in: context.layout)
    }
}
