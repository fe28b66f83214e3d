import Libc

/// A system call that the kernel refused.
package struct SystemError: Error, Hashable, Sendable {
    /// The call as its manual page names it, such as `openat2`.
    package let call: String
    /// What it was asked for (a path, a name, or nothing), already safe to print.
    package let subject: String
    /// The value of `errno`.
    package let code: Int32

    package init(_ call: String, _ subject: String = "", code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// The kernel's reason in words, such as `No such file or directory`.
    package var reason: String { String(cString: strerror(code)) }
}

extension SystemError: UserFacing {
    package var message: String {
        subject.isEmpty ? "\(call): \(reason)" : "\(subject): \(reason) (\(call))"
    }

    package var hint: String? {
        switch code {
        case ENOSPC:
            "The disk is full: free some space, or keep the store elsewhere (XDG_DATA_HOME, XDG_CACHE_HOME)."
        case EDQUOT: "The disk quota is used up."
        case EROFS: "That file system is mounted read-only."
        case EMFILE, ENFILE: "Too many files are open; raise the limit with: ulimit -n"
        default: nil
        }
    }
}

extension SystemError: CustomStringConvertible {
    package var description: String { message }
}
