import CLI
import Platform
import Session
import Store

struct RenameCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "rename", aliases: ["mv"], summary: "Give a container another name", group: "Living in containers",
        description: ["Renames a container that does not run."],
        operands: [Operand("OLD", .container), Operand("NEW")],
        flags: [
            Flag("force", short: "f", help: "Stop it first when it runs"),
            Flag("quiet", short: "q", help: "Print nothing but errors"),
        ],
        examples: [.init("chroot-distro rename debian work")])

    private let old: ContainerName
    private let new: ContainerName
    private let isQuiet: Bool
    private let isForced: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        old = try arguments.container("OLD")
        new = try arguments.container("NEW")
        isQuiet = arguments.isSet("quiet")
        isForced = arguments.isSet("force")
        if old == new { throw UsageError("the old and the new name are the same") }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let store = try context.store()
        // In the order of the names, so that two commands never wait for each other.
        let first = try store.lock(min(old, new), .exclusive, for: "rename")
        let second = try store.lock(max(old, new), .exclusive, for: "rename")
        guard try store.contains(old) else { throw try store.notInstalled(old) }
        guard try !store.contains(new) else { throw StoreError.nameTaken(new) }
        let shutdown = Shutdown(old, in: context.layout)
        if isForced { try shutdown.run(.gently) } else { try shutdown.requireStopped() }
        try store.rename(old, to: new)
        do { try enter(in: store) } catch {
            context.diagnostics.warning(
                "\(old) is \(new) now, but not in the index yet; chroot-distro list puts it there: "
                    + ((error as? any UserFacing)?.message ?? "\(error)"))
        }
        try? SessionRegistry.open(old, in: context.layout).erase(in: context.layout)
        second.release()
        first.release()
        context.diagnostics.info("Renamed \(old) to \(new)")
        return .success
    }

    private func enter(in store: borrowing ContainerStore) throws {
        let names = (old: old.description, new: new.description)
        try store.updateIndex { index in
            for position in index.containers.indices where index.containers[position].name == names.old {
                index.containers[position].name = names.new
            }
        }
    }
}
