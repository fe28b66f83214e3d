import Platform
import Store

/// What is left of a container whose holder was killed and in which nothing runs any more.
package enum Debris {
    /// Whether there is any.
    package static func isLeft(of name: ContainerName, in layout: StateLayout) -> Bool {
        guard let group = ContainerGroup.find(name, in: layout), group.processes().isEmpty else {
            return false
        }
        guard let registry = SessionRegistry.read(name, in: layout) else { return true }
        return registry.openSessions().isEmpty && registry.livingHolder() == nil
    }

    /// Removes it; whoever starts or ends the container meanwhile does so himself.
    package static func sweep(_ name: ContainerName, in layout: StateLayout) {
        guard let group = ContainerGroup.find(name, in: layout),
            let registry = SessionRegistry.read(name, in: layout),
            let lock = try? registry.startLock(within: .zero)
        else { return }
        if registry.openSessions().isEmpty, registry.livingHolder() == nil { group.remove() }
        lock.release()
    }
}
