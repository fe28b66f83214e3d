import CLI
import Platform

struct SetupCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "setup", summary: "Let a group of people use the program without a password",
        group: "Help",
        description: [
            "Makes the group chroot-distro, puts a user into it and lets its members become root for this program without a password, by a rule for sudo or, where only doas is installed, for doas. Nothing is started and nothing stays running.",
            "This equals root: whoever is in the group can do anything on the machine. It is refused when anybody but root could replace the program.",
        ],
        flags: [
            Flag("user", value: "NAME", group: "what", help: "Put this user into the group (default: you)"),
            Flag("uninstall", group: "what", help: "Take back what setup has changed, and nothing else"),
            Flag("quiet", short: "q", help: "Print nothing but warnings and errors"),
        ],
        examples: [
            .init("chroot-distro setup", "For yourself"), .init("chroot-distro setup --user alice"),
            .init("chroot-distro setup --uninstall"),
        ])

    private let user: String?
    private let uninstalls: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        user = try arguments.text("user")
        uninstalls = arguments.isSet("uninstall")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let setup = try Setup(on: context.caller.host, context.diagnostics)
        if uninstalls {
            try setup.uninstall()
            return .success
        }
        let program = try Elevation.ownPath(context.caller.environment)
        guard let path = String(validating: program.bytes, as: UTF8.self) else {
            throw SetupError.oddPath(HostPath(program.text))
        }
        let caller = context.caller.user
        try setup.install(HostPath(path), user: user ?? (caller.uid == 0 ? nil : caller.name?.text))
        return .success
    }
}
