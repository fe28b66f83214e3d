import CLinux
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

/// What /proc/PID/stat says of a process (proc_pid_stat(5)).
package struct ProcessStatus: Hashable, Sendable {
    /// The state's letter, such as `S` or `Z`.
    package let state: UInt8
    package let parent: pid_t
    /// Clock ticks since boot.
    package let startTime: UInt64

    package init?(of pid: pid_t) {
        guard let file = try? FileDescriptor.open(HostPath("/proc/\(pid)/stat"), O_RDONLY),
            let bytes = try? file.readAll(limit: 16384)
        else { return nil }
        self.init(parsing: bytes)
    }

    /// The name in the second field may hold spaces and parentheses: what counts starts after the last one.
    package init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0].count == 1, let state = fields[0].first,
            let parent = pid_t(String(decoding: fields[1], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.parent = parent
        self.startTime = startTime
    }

    /// Whether it is only waiting to be reaped.
    package var hasEnded: Bool { [UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x")].contains(state) }
}

/// A process that is held on to: by a pidfd (Linux 5.3), or by its number and start time before that.
package struct ProcessHandle: ~Copyable {
    package let identity: ProcessIdentity
    /// Owned by this value; -1 where the kernel or a sandbox has no pidfd.
    package let pidfd: Int32

    /// Opens first and compares afterwards: once open, a pidfd cannot change its process.
    fileprivate init(opening identity: ProcessIdentity) throws(SystemError) {
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
