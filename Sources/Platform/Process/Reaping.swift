import CLinux
import Libc

extension ExitStatus {
    /// From what wait(2) reports of an ended process; `nil` when it has only stopped or continued.
    package init?(waitStatus: Int32) {
        var code: Int32 = 0
        switch cd_wait_kind(waitStatus, &code) {
        case 1: self.init(code: code)
        case 2: self = .killed(by: code)
        default: return nil
        }
    }
}

/// Waiting for children by number; the number is safe because an unreaped child keeps it.
package enum Reaping {
    /// Blocks until the child has ended.
    package static func wait(for child: pid_t) throws(SystemError) -> ExitStatus {
        while true {
            var status: Int32 = 0
            try syscall("waitpid") { waitpid(child, &status, 0) }
            if let ended = ExitStatus(waitStatus: status) { return ended }
        }
    }

    /// Reaps every child that has ended, also those that this process got as a subreaper; how `child` ended, if it did.
    package static func all(watching child: pid_t) -> ExitStatus? {
        var found: ExitStatus?
        while true {
            var status: Int32 = 0
            let ended = waitpid(-1, &status, WNOHANG)
            if ended == child { found = ExitStatus(waitStatus: status) }
            if ended == 0 || ended < 0 && errno != EINTR { return found }
        }
    }

    /// How the child ended, or `nil` while it runs.
    package static func poll(_ child: pid_t) throws(SystemError) -> ExitStatus? {
        var status: Int32 = 0
        return try syscall("waitpid") { waitpid(child, &status, WNOHANG) } == child
            ? ExitStatus(waitStatus: status) : nil
    }
}
