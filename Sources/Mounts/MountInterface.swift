import CLibMount
import CLinux
import Libc
import Platform

/// A mount that exists but is not yet attached anywhere.
package struct DetachedMount: ~Copyable {
    let isDirectory: Bool
    fileprivate let form: Form

    /// The mount object; `nil` where the kernel has none.
    var descriptor: Int32? {
        switch form {
        case .tree(let tree): tree.rawValue
        case .pendingBind: nil
        case .pendingFileSystem: nil
        }
    }

    fileprivate enum Form: ~Copyable {
        /// A mount object of its own (fsmount(2), open_tree(2)).
        case tree(FileDescriptor)
        /// What the classic interface will do once the target is known.
        case pendingBind(FileDescriptor, BindOptions)
        case pendingFileSystem(String, options: String)
    }
}

/// The two ways of mounting that Linux has.
package enum MountInterface: Sendable {
    /// Mount objects by descriptor (Linux 5.2; attributes of whole trees since 5.12).
    case descriptors
    /// mount(2), through libmount.
    case classic

    /// The better one that works here.
    package static func best() -> MountInterface {
        let context = cd_fsopen("tmpfs")
        guard context >= 0 else { return .classic }
        _ = FileDescriptor(adopting: context)
        // An attribute call on nothing: EBADF means that the kernel knows it, ENOSYS that it does not.
        return cd_mount_setattr(-1, "", false, 0, 0, 0, -1) == -1 && errno == ENOSYS ? .classic : .descriptors
    }

    /// A new instance of a kernel file system.
    func make(
        _ type: String, _ parameters: [MountStep.Parameter], _ attributes: MountAttributes
    ) throws(SystemError) -> DetachedMount {
        guard self == .descriptors else {
            let options = MountOption.words(parameters, attributes).joined(separator: ",")
            return DetachedMount(isDirectory: true, form: .pendingFileSystem(type, options: options))
        }
        let context = FileDescriptor(adopting: try syscall("fsopen", type) { cd_fsopen(type) })
        for parameter in parameters {
            try syscall("fsconfig", parameter.key) {
                guard let value = parameter.value else {
                    return cd_fsconfig_flag(context.rawValue, parameter.key)
                }
                return cd_fsconfig_string(context.rawValue, parameter.key, value)
            }
        }
        try syscall("fsconfig", type) { cd_fsconfig_create(context.rawValue) }
        let mount = try syscall("fsmount", type) { cd_fsmount(context.rawValue, UInt32(attributes.rawValue)) }
        return DetachedMount(isDirectory: true, form: .tree(FileDescriptor(adopting: mount)))
    }

    /// A copy of a tree of the host's, with the attributes that were asked for on every mount in it.
    package func open(_ spec: BindSpec) throws(SystemError) -> DetachedMount {
        let source = try FileDescriptor.open(spec.source, cd_o_path)
        let isDirectory = try source.status().kind == .directory
        guard self == .descriptors else {
            guard spec.options.owners == nil else { throw SystemError("mount_setattr", code: ENOSYS) }
            return DetachedMount(isDirectory: isDirectory, form: .pendingBind(source, spec.options))
        }
        let raw = try syscall("open_tree", spec.source.description) {
            cd_open_tree_clone(source.rawValue, "", spec.options.recursive)
        }
        let tree = FileDescriptor(adopting: raw)
        // A copy that is made in the host's namespace is a peer of what it copies: what is mounted or unmounted in it
        // would happen to the host too.
        try syscall("mount_setattr", spec.source.description) {
            cd_mount_setattr(tree.rawValue, "", true, 0, 0, UInt64(cd_ms_slave), -1)
        }
        if let owners = spec.options.owners { try map(owners, in: tree, recursive: spec.options.recursive) }
        let change = spec.options.attributes
        if !change.isEmpty {
            try syscall("mount_setattr", spec.source.description) {
                cd_mount_setattr(
                    tree.rawValue, "", spec.options.recursive, change.set.rawValue, change.clearMask, 0, -1)
            }
        }
        return DetachedMount(isDirectory: isDirectory, form: .tree(tree))
    }

    /// Shows the files of a tree as others'; `EINVAL` where the file system cannot.
    private func map(
        _ owners: OwnerMapping, in tree: borrowing FileDescriptor, recursive: Bool
    ) throws(SystemError) {
        let namespace = try owners.namespace()
        let set = UInt64(cd_mount_idmap)
        if recursive, cd_mount_setattr(tree.rawValue, "", true, set, 0, 0, namespace.rawValue) == 0 { return }
        // What is mounted below may be of a kind that cannot; it stays as it is.
        try syscall("mount_setattr", "the owners of files") {
            cd_mount_setattr(tree.rawValue, "", false, set, 0, 0, namespace.rawValue)
        }
    }

    /// Attaches a mount on top of an open directory or file of the container with that root.
    func attach(
        _ mount: consuming DetachedMount, at target: borrowing FileDescriptor, in root: borrowing Directory
    ) throws(SystemError) {
        switch consume mount.form {
        case .tree(let tree):
            try syscall("move_mount") { cd_move_mount(tree.rawValue, target.rawValue, "") }
        case .pendingBind(let source, let options):
            try ClassicMount.bind(source, on: target, options)
            if options.recursive { try ClassicMount.dropOwnMounts(of: root, from: source, on: target) }
        case .pendingFileSystem(let type, let options):
            try ClassicMount.mount(type, on: target, options)
        }
    }

    /// Makes every mount of this namespace a slave: what the host mounts arrives, nothing goes back.
    package func enslaveEverything() throws(SystemError) {
        do { try syscall("mount", "/") { mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_SLAVE), nil) } } catch
            where error.code == EINVAL
        {
            throw SystemError("mount", "the root of this chroot, which is no mount point", code: EINVAL)
        }
    }

    /// Puts a copy of the directory's own mount on top of it and returns the directory in the new mount.
    ///
    /// The copy may carry setuid programs and devices, also where the host's mount forbids them (Android's `/data`).
    package func mountOnItself(_ directory: borrowing Directory) throws(SystemError) -> Directory {
        let allowed: MountAttributes = [.noSetuid, .noDevices, .noExecute]
        guard self == .descriptors else { return try ClassicMount.mountOnItself(directory) }
        let raw = try syscall("open_tree") { cd_open_tree_clone(directory.raw, "", false) }
        let tree = FileDescriptor(adopting: raw)
        try syscall("mount_setattr") {
            cd_mount_setattr(tree.rawValue, "", false, 0, allowed.rawValue, 0, -1)
        }
        try syscall("move_mount") { cd_move_mount(tree.rawValue, directory.raw, "") }
        return Directory(adopting: tree)
    }
}
