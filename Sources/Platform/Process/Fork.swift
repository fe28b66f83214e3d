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

    /// The same for a child that soon becomes another program, and has this process's memory until then, which saves
    /// copying it; `nil` where that cannot be done.
    ///
    /// This process waits meanwhile, and what `body` changes there is changed here too. What it holds when it becomes
    /// the other program is never released, so it is no closure but gets all it needs in `context`.
    package static func childSharingMemory(
        into group: borrowing ControlGroupEntry, with context: UnsafeRawPointer,
        _ body: @convention(c) (_ context: UnsafeRawPointer?, _ isBorn: Bool) -> Int32
    ) -> pid_t? {
        let pid = cd_vfork_into(group.directory, body, context)
        // A change of user, or the child's own wish, has made the memory unreadable for others.
        _ = cd_set_dumpable(true)
        return pid > 0 ? pid : nil
    }
}
