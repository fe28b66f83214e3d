import Libc
import Mounts
import Platform

/// Binds for a container that runs already: opened on the host, attached inside.
struct PreparedBinds: ~Copyable {
    private final class Bind {
        var mount: DetachedMount?
        let spec: BindSpec
        init(_ mount: consuming DetachedMount, _ spec: BindSpec) {
            self.mount = consume mount
            self.spec = spec
        }
    }

    private let binds: [Bind]
    private let interface: MountInterface

    /// Opens the sources in this process's own mount namespace.
    init(_ specs: [BindSpec], interface: MountInterface) throws(SystemError) {
        var opened: [Bind] = []
        for spec in specs { opened.append(Bind(try interface.open(spec), spec)) }
        binds = opened
        self.interface = interface
    }

    /// Attaches them; the caller is in the container's namespace and its root is the container's.
    func attach() throws {
        guard !binds.isEmpty else { return }
        let mounter = KernelMounter(root: Rootfs(adopting: try Directory.open("/")), interface: interface)
        for bind in binds {
            guard let mount = bind.mount.take() else { continue }
            do { try mounter.attach(mount, at: bind.spec.target) } catch {
                throw MountFailure(step: .bind(bind.spec, required: true), cause: error)
            }
        }
    }
}
