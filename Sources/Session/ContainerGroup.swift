import Platform
import Store

/// The control group of a running container.
enum ContainerGroup {
    /// Its name: the same for every command, also after a crash, and another one in each store.
    static func name(of container: ContainerName, in layout: StateLayout) -> String {
        // FNV-1a: stores of different people and tests may have containers of one name.
        let store = layout.run.rawValue.utf8.reduce(UInt32(2_166_136_261)) {
            ($0 ^ UInt32($1)) &* 16_777_619
        }
        return "chroot-distro-\(container)-\(String(store, radix: 16))"
    }

    /// The group with all that belongs to it; `nil` when there is none.
    static func find(_ container: ContainerName, in layout: StateLayout) -> ControlGroup? {
        ControlGroup.existing(name(of: container, in: layout))
    }
}
