import CLinux
import Libc

/// A control group all of whose processes stand still for as long as this value lives.
///
/// Whatever ends this process, they go on: a child, in a session of its own, waits for the end of a pipe and lets them.
package struct Freeze: ~Copyable {
    private let group: ControlGroup
    private let watcher: pid_t
    /// Its end is what the watcher waits for.
    private let lifeline: FileDescriptor

    /// How long processes have to stand still; one that waits for a device cannot at once.
    private static let patience: Duration = .seconds(3)

    /// `nil` where the kernel cannot, or something does not come to a stand.
    ///
    /// Only for a process with a single thread, which forks.
    package static func hold(_ group: ControlGroup) throws(SystemError) -> Freeze? {
        guard let control = group.openFreezer() else { return nil }
        let pipe = try Pipe()
        let ends = pipe.raw
        let ready = try Pipe()
        let readiness = ready.raw.writing
        let watcher = try Fork.child { watch(ends.reading, control.rawValue, readiness) }
        let freeze = Freeze(group: group, watcher: watcher, lifeline: pipe.writeEnd())
        // Until then whatever kills this process may kill the watcher with it.
        guard try ready.readEnd().readAll(limit: 1) == [1] else { return nil }
        // From here on the end of `freeze`, or of this process, sets them free.
        guard group.freeze(true), group.waitUntilFrozen(Deadline(after: patience)) else { return nil }
        return freeze
    }

    private static func watch(_ pipe: Int32, _ control: Int32, _ readiness: Int32) -> ExitStatus {
        setsid()
        // Nothing else may stay open: locks would last as long as this, and readers of our output wait for its end.
        guard dup2(pipe, 0) == 0, dup2(control, 1) == 1, dup2(readiness, 2) == 2, cd_close_range(3, .max) == 0
        else { return .failure }
        for signal in [SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT] { SignalAction.ignore.set(for: signal) }
        var byte: UInt8 = 1
        guard write(2, &byte, 1) == 1, close(2) == 0 else { return .failure }
        while read(0, &byte, 1) < 0, errno == EINTR {}
        return write(1, "0", 1) == 1 ? .success : .failure
    }

    deinit {
        group.freeze(false)
        kill(watcher, SIGKILL)
        _ = try? Reaping.wait(for: watcher)
    }
}

extension ControlGroup {
    /// Waits until all that is in it stands still (cgroup.events, `frozen 1`); false when the time is over.
    func waitUntilFrozen(_ deadline: Deadline) -> Bool {
        while !isFrozen {
            if deadline.milliseconds == 0 { return false }
            usleep(2000)
        }
        return true
    }
}
