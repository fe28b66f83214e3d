import CLinux
import Libc
import Platform

/// Leaving the caller's namespaces for new ones, and joining those of another process.
package enum Isolation {
    /// Moves this process into new namespaces (unshare(2)).
    package static func leave(_ set: NamespaceSet) throws(SystemError) {
        try syscall("unshare") { cd_unshare(set.rawValue) }
    }

    /// Joins a namespace, opened from `/proc/PID/ns` (setns(2)).
    ///
    /// For a mount namespace the caller must have a single thread; its root and working directory become those of
    /// the namespace.
    package static func join(_ namespace: borrowing FileDescriptor, _ set: NamespaceSet) throws(SystemError) {
        try syscall("setns") { cd_setns(namespace.rawValue, set.rawValue) }
    }

    /// Joins the mount namespace named by a file such as `/proc/1/ns/mnt`.
    package static func joinMountNamespace(at path: HostPath) throws(SystemError) {
        let namespace = try FileDescriptor.open(path, O_RDONLY)
        try syscall("setns", path.description) { cd_setns(namespace.rawValue, NamespaceSet.mount.rawValue) }
    }

    /// Gives this process alone another host name (a new UTS namespace).
    package static func takeHostname(_ name: String) throws(SystemError) {
        try leave(.hostname)
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
