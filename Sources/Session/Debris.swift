import Platform
import Store

/// What is left of a container whose holder was killed and in which nothing runs any more.
package enum Debris {
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
