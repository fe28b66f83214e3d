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
        // A call that changes nothing, of nothing. An old kernel says ENOSYS, a filter EPERM.
        return cd_mount_setattr(-1, "", false, 0, 0, 0, -1) == 0 || errno == EBADF ? .descriptors : .classic
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
        return try copy(
            source, isDirectory: isDirectory, spec.options, subject: spec.source.description)
    }

    /// A copy of what an O_PATH descriptor names, to be attached somewhere else.
    func copy(
        _ source: consuming FileDescriptor, isDirectory: Bool, _ options: BindOptions,
        subject: @autoclosure () -> String
    ) throws(SystemError) -> DetachedMount {
        guard self == .descriptors else {
            guard options.owners == nil else { throw SystemError("mount_setattr", code: ENOSYS) }
            return DetachedMount(isDirectory: isDirectory, form: .pendingBind(source, options))
        }
        let raw = try syscall("open_tree", subject()) {
            cd_open_tree_clone(source.rawValue, "", options.recursive)
        }
        let tree = FileDescriptor(adopting: raw)
        // A copy that is made in the host's namespace is a peer of what it copies: what is mounted or unmounted in it
        // would happen to the host too.
        try syscall("mount_setattr", subject()) {
            cd_mount_setattr(tree.rawValue, "", true, 0, 0, UInt64(cd_ms_slave), -1)
        }
        if let owners = options.owners { try map(owners, in: tree, recursive: options.recursive) }
        let change = options.attributes
        if !change.isEmpty {
            try syscall("mount_setattr", subject()) {
                cd_mount_setattr(
                    tree.rawValue, "", options.recursive, change.set.rawValue, change.clearMask, 0, -1)
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

    /// Makes the mount that the directory is the root of read-only.
    package func makeReadOnly(_ root: borrowing Directory) throws(SystemError) {
        guard self == .descriptors else { return try ClassicMount.makeReadOnly(root) }
        try syscall("mount_setattr", "/") {
            cd_mount_setattr(root.raw, "", false, MountAttributes.readOnly.rawValue, 0, 0, -1)
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
    /// With a user namespace, its ids are what the directory's owners are to this host, while the file system keeps
    /// its own.
    package func mountOnItself(
        _ directory: borrowing Directory, users: Int32? = nil
    ) throws(SystemError) -> Directory {
        guard self == .descriptors else {
            guard users == nil else { throw SystemError("mount_setattr", code: ENOSYS) }
            return try ClassicMount.mountOnItself(directory)
        }
        let tree = try copyForItself(directory, users: users)
        try syscall("move_mount") { cd_move_mount(tree.rawValue, directory.raw, "") }
        return Directory(adopting: tree)
    }

    /// Throws unless the owners of the files below the directory can be shown as those of a user namespace.
    ///
    /// It is tried on a mount that is in no namespace: nothing changes for anybody.
    package func requireMapping(of directory: borrowing Directory, users: Int32) throws(SystemError) {
        guard self == .descriptors else { throw SystemError("mount_setattr", code: ENOSYS) }
        _ = try copyForItself(directory, users: users)
    }

    private func copyForItself(
        _ directory: borrowing Directory, users: Int32?
    ) throws(SystemError) -> FileDescriptor {
        let allowed: MountAttributes = [.noSetuid, .noDevices, .noExecute]
        let raw = try syscall("open_tree") { cd_open_tree_clone(directory.raw, "", false) }
        let tree = FileDescriptor(adopting: raw)
        let mapping = users == nil ? 0 : UInt64(cd_mount_idmap)
        try syscall("mount_setattr", users == nil ? "" : "the owners of files") {
            cd_mount_setattr(tree.rawValue, "", false, mapping, allowed.rawValue, 0, users ?? -1)
        }
        return tree
    }
}
