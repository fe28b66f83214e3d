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
}
