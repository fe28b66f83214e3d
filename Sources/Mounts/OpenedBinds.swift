import Libc
import Platform

/// The sources of a plan's binds, opened before anything of the container is mounted.
///
/// A source may hold the container itself, as `/tmp` may; opened later, the container's own mounts would come along.
package struct OpenedBinds: ~Copyable {
    private final class Bind {
        var mount: DetachedMount?
        init(_ mount: consuming DetachedMount) { self.mount = consume mount }
    }

    private let opened: [BindSpec: Bind]

    /// Opens them as this process's mount namespace has them; those that are not required may be missing.
    package init(_ plan: MountPlan, interface: MountInterface) throws(MountFailure) {
        var opened: [BindSpec: Bind] = [:]
        for step in plan.steps {
            guard case .bind(let spec, let required) = step else { continue }
            do { opened[spec] = Bind(try interface.open(spec)) } catch {
                if required { throw MountFailure(step: step, cause: error) }
            }
        }
        self.opened = opened
    }

    /// Takes away whatever of them another process has attached in the mount namespace that this one is in.
    ///
    /// `descriptors` is this process's `/proc/self/fd`, opened where `/proc` is the host's.
    package func detach(naming descriptors: borrowing Directory) throws(SystemError) {
        try syscall("fchdir") { fchdir(descriptors.raw) }
        for bind in opened.values {
            guard let tree = bind.mount?.descriptor else { continue }
            // EINVAL: it is attached nowhere, or no longer in this namespace.
            guard umount2("\(tree)", Int32(MNT_DETACH)) == 0 || errno == EINVAL else {
                throw SystemError("umount2", code: errno)
            }
        }
    }

    /// What will be seen where it is attached; `nil` where the kernel has no mount objects.
    package func source(of spec: BindSpec) -> FileStatus? {
        guard let tree = opened[spec]?.mount?.descriptor else { return nil }
        var status = stat()
        return fstat(tree, &status) == 0 ? FileStatus(status) : nil
    }

    /// The tree to attach, once; `nil` when its source is missing.
    func take(_ spec: BindSpec) -> DetachedMount? { opened[spec]?.mount.take() }
}
