import CLinux
import Libc

/// A child that goes on in this program, rather than in another one (fork(2)).
package enum Fork {
    /// Forks; the child runs `body` and ends with its status, without returning from here.
    ///
    /// Only for a process with a single thread.
    package static func child(_ body: () -> ExitStatus) throws(SystemError) -> pid_t {
        let pid = try syscall("fork") { cd_fork() }
        if pid == 0 { _exit(body().code) }
        return pid
    }

    /// The same with the child born into a control group; `body` is told whether the kernel could do that.
    package static func child(
        into group: borrowing ControlGroupEntry, _ body: (_ isBorn: Bool) -> ExitStatus
    ) throws(SystemError) -> pid_t {
        if group.directory >= 0 {
            let pid = cd_fork_into(group.directory)
            if pid == 0 { _exit(body(true).code) }
            if pid > 0 { return pid }
        }
        return try child { body(false) }
    }
}
