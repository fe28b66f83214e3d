import CLinux
import Libc

/// A feature of the kernel that can be tried without leaving anything behind.
package enum KernelFeature: String, CaseIterable, Hashable, Sendable {
    case mountNamespace, pidNamespace, utsNamespace, ipcNamespace, cgroupNamespace, userNamespace,
        networkNamespace
    case openat2, pidfd, mountObjects, treeAttributes, seccompFilter

    /// Tries it, in a child that a filter may kill.
    package func attempt() -> Trial {
        switch self {
        case .mountNamespace: Self.unshare(cd_clone_newns)
        case .pidNamespace: Self.unshare(cd_clone_newpid)
        case .utsNamespace: Self.unshare(cd_clone_newuts)
        case .ipcNamespace: Self.unshare(cd_clone_newipc)
        case .cgroupNamespace: Self.unshare(cd_clone_newcgroup)
        case .userNamespace: Self.unshare(cd_clone_newuser)
        case .networkNamespace: Self.unshare(cd_clone_newnet)
        case .openat2:
            Trial { Self.code(cd_openat2(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0)) }
        case .pidfd: Trial { Self.code(cd_pidfd_open(getpid())) }
        case .mountObjects:
            // A call with nothing to move: EBADF from a kernel that knows it.
            Trial {
                let opened = Self.code(cd_fsopen("tmpfs"))
                return opened != 0 ? opened : Self.code(cd_open_tree_clone(AT_FDCWD, "/", false))
            }
        case .treeAttributes: Trial { Self.known(by: cd_mount_setattr(-1, "", false, 0, 0, 0, -1)) }
        case .seccompFilter: Trial { Self.code(cd_try_seccomp(), fine: EFAULT) }
        }
    }

    private static func unshare(_ namespace: Int32) -> Trial { Trial { code(cd_unshare(namespace)) } }

    /// What a call says: 0, or its `errno`, of which `fine` is as good as success.
    private static func code(_ result: Int32, fine: Int32 = 0) -> Int32 {
        let code = result == -1 ? errno : 0
        return code == fine ? 0 : code
    }

    /// For a call that cannot succeed: whether the kernel knows it at all.
    private static func known(by result: Int32) -> Int32 { result == -1 && errno == ENOSYS ? ENOSYS : 0 }
}
