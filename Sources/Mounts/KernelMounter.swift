import CLinux
import Libc
import Platform

/// Carries a mount plan out inside one root, by descriptors: no path of the container is ever resolved outside it.
package struct KernelMounter: ~Copyable {
    let root: Rootfs
    let kind: MountInterface

    /// `root` is the root directory of a mount that is already attached in this mount namespace.
    package init(root: consuming Rootfs, interface: MountInterface) {
        self.root = root
        kind = interface
    }

    /// Carries all steps out; a bind that is not required and whose source is gone is skipped.
    package func carryOut(_ plan: MountPlan, _ binds: borrowing OpenedBinds) throws(MountFailure) {
        for step in plan.steps {
            do { try carryOut(step, binds) } catch {
                if case .bind(_, required: false) = step { continue }
                throw MountFailure(step: step, cause: error)
            }
        }
    }

    private func carryOut(_ step: MountStep, _ binds: borrowing OpenedBinds) throws(SystemError) {
        switch step {
        case .fileSystem(let type, let target, let parameters, let attributes):
            let directory = try root.openOrMakeDirectory(target)
            let mount = try kind.make(type, parameters, attributes)
            try kind.attach(mount, at: directory.descriptor, in: root.directory)
        case .bind(let spec, _):
            guard let tree = binds.take(spec) else { return }
            try attach(tree, at: spec.target)
        case .directory(let target, let mode):
            _ = try root.openOrMakeDirectory(target, mode: mode)
        case .node(let target, let node):
            try make(node, at: target)
        case .file(let file): try put(file)
        case .mask(let target): try mask(target)
        case .seal(let target): try seal(target)
        case .link(let target, let destination):
            let place = try root.openParent(target)
            do { try place.directory.makeSymbolicLink(place.name, to: destination) } catch
                where error.code == EEXIST
            {}
        }
    }

    /// Attaches a tree of the host's at a path of the container, where a directory or an empty file is made for it.
    private func attach(_ tree: consuming DetachedMount, at target: GuestPath) throws(SystemError) {
        if tree.isDirectory {
            let directory = try root.openOrMakeDirectory(target)
            try kind.attach(tree, at: directory.descriptor, in: root.directory)
        } else {
            let file = try openOrMakeFile(target)
            guard try file.status().kind != .directory else {
                throw SystemError("move_mount", target.description, code: EISDIR)
            }
            try kind.attach(tree, at: file, in: root.directory)
        }
    }

    func openOrMakeFile(_ target: GuestPath) throws(SystemError) -> FileDescriptor {
        do { return try root.open(target, cd_o_path) } catch  where error.code == ENOENT {}
        let parent = try root.openOrMakeDirectory(target.parent)
        guard let name = target.lastComponent else {
            throw SystemError("openat", target.description, code: EISDIR)
        }
        try parent.openFile(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644).close()
        return try root.open(target, cd_o_path)
    }

    private func make(_ node: DeviceNode, at target: GuestPath) throws(SystemError) {
        let place = try root.openParent(target)
        let type = node.isBlock ? S_IFBLK : S_IFCHR
        do {
            try place.directory.makeNode(
                place.name, type | node.permissions, major: node.major, minor: node.minor)
        } catch  where error.code == EEXIST { return }
        if node.owner != 0 || node.group != 0 {
            try place.directory.setOwner(place.name, node.owner, node.group)
        }
        try place.directory.setPermissions(place.name, node.permissions)
    }
}
