import CLI
import Mounts
import OCI
import Platform
import Session
import Store

struct ResetCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "reset", summary: "Make a container anew from its image", group: "Living in containers",
        description: [
            "Unpacks the image of the container again, from the image store where it is there and from its registry otherwise, and then puts the fresh root in the place of the old one. Everything that was changed in the container is lost; its name and settings stay. This is not confirmed. Until the fresh root is complete, the old one is not touched.",
            "Where the image's name stands for another image by now, the registry is asked for the very one that the container was made of; only --update takes the other one.",
        ],
        operands: [Operand("CONTAINER", .container)],
        flags: [
            Flag("force", short: "f", help: "Stop it when it runs, once the fresh root is ready"),
            Flag(
                "update", short: "u", help: "Take the image that its name stands for now, from the registry"),
            Flag("allow-insecure", help: "Accept plain HTTP and any certificate from the registry"),
            Flag("quiet", short: "q", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro reset debian"), .init("chroot-distro reset --update debian"),
        ])

    private let name: ContainerName
    private let isForced: Bool
    private let updates: Bool
    private let allowsInsecure: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        isForced = arguments.isSet("force")
        updates = arguments.isSet("update")
        allowsInsecure = arguments.isSet("allow-insecure")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let store = try context.store()
        guard try store.contains(name) else { throw try store.notInstalled(name) }
        let lock = try store.lock(name, .exclusive, for: "reset")
        let shutdown = Shutdown(name, in: context.layout)
        if !isForced { try shutdown.requireStopped() }
        try store.requireUnmounted(name, mountPoints: MountTable.current().paths)
        let installer = try Installer.open(
            context, platform: .host, policy: .missing, allowsInsecure: allowsInsecure)
        try installer.reset(name, updates: updates) {
            if isForced { try shutdown.run(.gently) }
            // What was mounted while the fresh root was made.
            try store.requireUnmounted(name, mountPoints: MountTable.current().paths)
        }
        lock.release()
        context.diagnostics.info("Reset \(name)")
        return .success
    }
}
