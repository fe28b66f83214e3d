import Libc

/// A process named so that no later process can be taken for it, also by somebody who reads it from a file.
package struct ProcessIdentity: Hashable, Sendable {
    package let pid: pid_t
    /// Clock ticks from boot to its start: field 22 of /proc/PID/stat (proc_pid_stat(5)).
    package let startTime: UInt64
    /// `Kernel.bootID` of the boot it lives in.
    package let bootID: String

    package init(pid: pid_t, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    /// Looks a running process up; `ESRCH` when there is none or it has ended.
    package init(of pid: pid_t) throws(SystemError) {
        guard let status = ProcessStatus(of: pid), !status.hasEnded else {
            throw SystemError("pidfd_open", "process \(pid)", code: ESRCH)
        }
        self.init(pid: pid, startTime: status.startTime, bootID: Kernel.bootID())
    }

    package static func current() throws(SystemError) -> ProcessIdentity { try ProcessIdentity(of: getpid()) }

    /// Takes hold of the process; `nil` when it has ended, whoever has its number now.
    package func open() throws(SystemError) -> ProcessHandle? {
        guard bootID == Kernel.bootID() else { return nil }
        do {
            return try ProcessHandle(opening: self)
        } catch  where error.code == ESRCH {
            return nil
        }
    }

    package var isAlive: Bool {
        guard let handle = try? open() else { return false }
        return handle.isAlive
    }
}
