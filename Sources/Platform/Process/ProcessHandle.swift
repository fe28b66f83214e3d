import CLinux
import Libc

/// A process that is held on to: by a pidfd (Linux 5.3), or by its number and start time before that.
package struct ProcessHandle: ~Copyable {
    package let identity: ProcessIdentity
    /// Owned by this value; -1 where the kernel or a sandbox has no pidfd.
    package let pidfd: Int32

    /// Opens first and compares afterwards: once open, a pidfd cannot change its process.
    init(opening identity: ProcessIdentity) throws(SystemError) {
        let opened = try Self.openPidfd(identity.pid)
        guard Self.matches(identity) else {
            if opened >= 0 { close(opened) }
            throw SystemError("pidfd_open", "process \(identity.pid)", code: ESRCH)
        }
        self.identity = identity
        pidfd = opened
    }

    /// For tests: as on a kernel without pidfd.
    init(withoutPidfd identity: ProcessIdentity) {
        self.identity = identity
        pidfd = -1
    }

    deinit { if pidfd >= 0 { close(pidfd) } }

    private static func openPidfd(_ pid: pid_t) throws(SystemError) -> Int32 {
        do {
            return try syscall("pidfd_open", "process \(pid)") { cd_pidfd_open(pid) }
        } catch  where error.code == ENOSYS || error.code == EPERM {
            return -1
        }
    }

    private static func matches(_ identity: ProcessIdentity) -> Bool {
        guard let status = ProcessStatus(of: identity.pid) else { return false }
        return status.startTime == identity.startTime && !status.hasEnded
    }

    package var isAlive: Bool {
        pidfd < 0 ? Self.matches(identity) : !Self.isReadable(pidfd, milliseconds: 0)
    }

    /// Sends a signal; `ESRCH` when the process has ended.
    package func signal(_ number: Int32) throws(SystemError) {
        if pidfd >= 0 {
            try syscall("pidfd_send_signal") { cd_pidfd_send_signal(pidfd, number) }
        } else {
            guard Self.matches(identity) else { throw SystemError("kill", code: ESRCH) }
            try syscall("kill") { kill(identity.pid, number) }
        }
    }

    /// Waits for the end of the process, any process; false when it still runs after `timeout`.
    package func wait(timeout: Duration) -> Bool {
        let deadline = Deadline(after: timeout)
        while true {
            let left = deadline.milliseconds
            if pidfd >= 0 {
                if Self.isReadable(pidfd, milliseconds: left) { return true }
            } else {
                guard Self.matches(identity) else { return true }
                _ = poll(nil, 0, min(left, 10))
            }
            if left == 0 { return !isAlive }
        }
    }

    private static func isReadable(_ descriptor: Int32, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
