import CLI
import Mounts
import OCI
import Platform
import Session
import Store

struct RemoveCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "remove", aliases: ["rm"], summary: "Delete containers and everything in them",
        group: "Living in containers",
        description: [
            "Ends what runs in the container and deletes it. This is not confirmed and cannot be undone. Nothing outside the container is ever touched: what is mounted in it is left alone."
        ],
        operands: [Operand("CONTAINER", .container, repeatable: true)],
        flags: [
            Flag("image", help: "Remove images from the store instead, as image rm does"),
            .architecture("With --image: remove it for this processor only"),
            Flag("verbose", short: "v", group: "talk", help: "Name each file that is deleted"),
            Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
        ],
        examples: [.init("chroot-distro remove debian"), .init("chroot-distro rm old older oldest")])

    private let names: [ContainerName]
    /// What to remove instead of containers.
    private let images: [String]
    private let platform: ImagePlatform?
    private let isVerbose: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        let wantsImages = arguments.isSet("image")
        names = wantsImages ? [] : try arguments.containers("CONTAINER")
        images = wantsImages ? try arguments.operands("CONTAINER") : []
        platform = try arguments.platform()
        guard wantsImages || platform == nil else {
            throw arguments.invalid("architecture", "it belongs to --image")
        }
        isVerbose = arguments.isSet("verbose")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        if !images.isEmpty {
            try ImageRemoveCommand.remove(images, platform, context)
            return .success
        }
        let diagnostics = context.diagnostics
        let store = try context.store()
        for name in names where try !store.contains(name) { throw try store.notInstalled(name) }
        try store.sweep()
        for name in names {
            let lock = try store.lock(name, .exclusive, for: "remove")
            try Shutdown(name, in: context.layout).run(.gently)
            try store.requireUnmounted(name, mountPoints: MountTable.current().paths)
            try store.remove(
                name, onDelete: isVerbose ? { diagnostics.info("deleted \(Quoted(bytes: $0.bytes))") } : nil)
            try? SessionRegistry.open(name, in: context.layout).erase(in: context.layout)
            lock.release()
            diagnostics.info("Removed \(name)")
        }
        return .success
    }
}
