import Namespaces
import Platform

/// What `--cap-add`, `--cap-drop` and `--privileged` make of the capabilities that a mode has.
struct CapabilityChange {
    private let added: CapabilitySet
    private let dropped: CapabilitySet

    init(_ request: LaunchRequest, host: HostFacts) {
        let keepsAll = request.isPrivileged || host.environment.isTruthy("CD_NO_CAP_DROP")
        added = keepsAll ? .all : request.addedCapabilities
        dropped = request.droppedCapabilities
    }

    /// What is dropped is gone, except that after dropping ALL the named ones come back.
    func applied(to base: CapabilitySet) -> CapabilitySet {
        dropped == .all ? added == .all ? .none : added : base.union(added).subtracting(dropped)
    }
}
