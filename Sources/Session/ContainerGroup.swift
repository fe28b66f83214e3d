import Platform
import Store

/// The control group of a running container.
enum ContainerGroup {
    /// Its name: the same for every command, also after a crash, and another one in each store.
    static func name(in registry: borrowing SessionRegistry) throws(SystemError) -> String {
        name(of: registry.name, in: try registry.store())
    }

    /// Stores of different people and tests may have containers of one name, and one store may be reached by several
    /// paths: it is known by the directory in which it keeps what runs.
    private static func name(of container: ContainerName, in run: FileStatus) -> String {
        let number = String(UInt64(run.device), radix: 16) + "-" + String(run.inode, radix: 16)
        return "chroot-distro-\(container)-\(number)"
    }

    /// The group with all that belongs to it; `nil` when there is none.
    static func find(_ container: ContainerName, in layout: StateLayout) -> ControlGroup? {
        guard let run = try? Directory.open(layout.run).status() else { return nil }
        return ControlGroup.existing(name(of: container, in: run))
    }
}
