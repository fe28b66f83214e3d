import CLI
import Platform
import Session
import Store

struct UnmountCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "unmount", aliases: ["umount", "um"], summary: "End what runs in a container, gently",
        group: "Living in containers",
        description: [
            "Asks every process of the container to end, waits two seconds, and ends the rest by force. The container's mounts are gone with its last process: the host never had them."
        ],
        operands: [Operand("CONTAINER", .running)], examples: [.init("chroot-distro unmount debian")])

    private let name: ContainerName

    init(_ arguments: ParsedArguments) throws(UsageError) { name = try arguments.container("CONTAINER") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        guard try store.contains(name) || SessionRegistry.isRunning(name, in: context.layout) else {
            throw try store.notInstalled(name)
        }
        let stopped = try Shutdown(name, in: context.layout).run(.gently)
        context.diagnostics.info(stopped ? "Stopped \(name)" : "\(name) is not running")
        return .success
    }
}
