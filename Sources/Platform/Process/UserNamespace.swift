import CLinux
import Libc

/// Namespaces of users and groups (user_namespaces(7)).
package enum UserNamespace {
    /// Makes one in which nobody lives, with the lines of its `uid_map` and `gid_map`; the descriptor keeps it.
    ///
    /// `ENOSPC` or `EPERM` where such namespaces are switched off.
    package static func make(users: String, groups: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try syscall("clone", "a user namespace") { cd_user_namespace(users, groups) })
    }

    /// One whose ids from 0 on are those of a range.
    package static func make(_ range: IDRange) throws(SystemError) -> FileDescriptor {
        let line = "0 \(range.start) \(range.count)\n"
        return try make(users: line, groups: line)
    }
}
