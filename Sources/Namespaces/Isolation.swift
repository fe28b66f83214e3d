import CLinux
import Libc
import Platform

/// Leaving the caller's namespaces for new ones, and joining those of another process.
package enum Isolation {
    /// Moves this process into new namespaces (unshare(2)).
    package static func leave(_ set: NamespaceSet) throws(SystemError) {
        try syscall("unshare") { cd_unshare(set.rawValue) }
    }

    /// Those of the given kinds that this kernel does not have.
    package static func unknown(of set: NamespaceSet) -> NamespaceSet {
        guard set != .mount else { return [] }
        return NamespaceSet.kinds.reduce(into: []) { missing, entry in
            guard set.contains(entry.kind), access("/proc/self/ns/\(entry.file)", F_OK) != 0 else { return }
            missing.insert(entry.kind)
        }
    }

    /// Those of the given kinds that this machine refuses to make, whatever the kernel knows; each is tried in a child
    /// that is thrown away.
    package static func refused(of set: NamespaceSet) -> [(kind: NamespaceSet, reason: String)] {
        NamespaceSet.kinds.compactMap { entry in
            guard set.contains(entry.kind) else { return nil }
            let trial = Trial { cd_unshare(entry.kind.rawValue) == 0 ? 0 : errno }
            return trial.isSuccess ? nil : (entry.kind, trial.reason)
        }
    }

    /// Has later children of this process in its own PID namespace again.
    package static func stayAmongProcesses() throws(SystemError) { try join(getpid(), .process) }

    /// Joins a namespace, opened from `/proc/PID/ns` (setns(2)).
    ///
    /// For a mount namespace the caller must have a single thread; its root and working directory become those of
    /// the namespace.
    package static func join(_ namespace: borrowing FileDescriptor, _ set: NamespaceSet) throws(SystemError) {
        try syscall("setns") { cd_setns(namespace.rawValue, set.rawValue) }
    }

    /// Joins the PID namespace of a process that is held: later children of this one are in it.
    package static func joinProcesses(of process: borrowing ProcessHandle) throws(SystemError) {
        try join(process.identity.pid, .process)
        guard process.isAlive else { throw SystemError("setns", "the container's holder", code: ESRCH) }
    }

    /// Joins namespaces of a process that cannot end before this one.
    package static func join(_ number: pid_t, _ set: NamespaceSet) throws(SystemError) {
        try syscall("setns") { cd_join_namespaces(number, set.rawValue) }
    }

    /// The user namespace that a mount namespace belongs to (ioctl_ns(2)).
    package static func users(of namespace: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try syscall("ioctl", "the container's users") { cd_users_of(namespace.rawValue) })
    }

    /// Lets nobody in this process's user namespace make a namespace of control groups (namespaces(7), "/proc/sys/user").
    ///
    /// `proc` is the host's: the container's own is sealed. A kernel without that limit leaves it be.
    package static func forbidControlGroupNamespaces(proc: borrowing Directory) {
        guard let limit = try? proc.openFile("sys/user/max_cgroup_namespaces", O_WRONLY) else { return }
        try? limit.writeAll("0")
    }

    /// Joins an open user namespace.
    package static func join(users: Int32) throws(SystemError) {
        try syscall("setns", "the container's users") { cd_setns(users, NamespaceSet.user.rawValue) }
    }

    /// Becomes root of the user namespace that this process has just joined.
    package static func becomeItsRoot() throws(SystemError) {
        try syscall("setgroups") { cd_set_groups(0, []) }
        try syscall("setresgid") { cd_set_gids(0) }
        try syscall("setresuid") { cd_set_uids(0) }
    }

    /// Joins the mount namespace named by a file such as `/proc/1/ns/mnt`.
    package static func joinMountNamespace(at path: HostPath) throws(SystemError) {
        let namespace = try FileDescriptor.open(path, O_RDONLY)
        try syscall("setns", path.description) { cd_setns(namespace.rawValue, NamespaceSet.mount.rawValue) }
    }

    /// Names the UTS namespace that this process is in.
    package static func setHostname(_ name: String) throws(SystemError) {
        try syscall("sethostname", Quoted(name).description) { cd_sethostname(name, name.utf8.count) }
    }

    /// Makes the directory, which must be a mount point, the root of this mount namespace and drops the old root.
    ///
    /// The old root is stacked on the new one for a moment (pivot_root(2), NOTES), so no directory is needed for it.
    package static func enterRoot(_ directory: borrowing Directory) throws(SystemError) {
        try syscall("fchdir") { fchdir(directory.raw) }
        if cd_pivot_root(".", ".") == 0 {
            try syscall("umount2") { umount2(".", Int32(MNT_DETACH)) }
        } else {
            // EINVAL: the present root is an initramfs, as on some phones and in rescue systems.
            guard errno == EINVAL else { throw SystemError("pivot_root", code: errno) }
            try coverRoot()
        }
        try syscall("chdir") { chdir("/") }
    }

    /// Where the root cannot be exchanged: moves the working directory's mount over it.
    static func coverRoot() throws(SystemError) {
        try syscall("mount", "/") { mount(".", "/", nil, UInt(MS_MOVE), nil) }
        try syscall("chroot") { chroot(".") }
    }

    /// Makes a directory of this mount namespace the root of this process.
    ///
    /// Whoever joins a mount namespace is put into its first root, which is not that of its processes where the
    /// program itself was started in a chroot.
    package static func takeRoot(_ directory: borrowing Directory) throws(SystemError) {
        try syscall("fchdir") { fchdir(directory.raw) }
        try syscall("chroot") { chroot(".") }
    }
}
