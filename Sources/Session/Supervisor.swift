import CLinux
import Libc
import Platform

/// The host's end of a session: it waits for the guest, passes signals and, with a terminal, all that is typed and
/// shown.
struct Supervisor: ~Copyable {
    /// What is passed on.
    ///
    /// The rest keeps its default action: what stops or kills a job stops or kills this one.
    private static let signals = [
        SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT, SIGTSTP,
    ]

    /// Whether standard input is a terminal, so that the guest gets one too.
    let hasTerminal: Bool
    /// Signals that the caller ignores: they reach neither this process nor, without a terminal, the guest.
    let ignored: [Int32]
    private let signals: SignalReader
    /// What a detached session has in the place of the caller's terminal.
    let console: DetachedConsole?

    /// Blocks the signals, so that none is lost between the fork and the first wait.
    init(_ console: DetachedConsole? = nil) throws(SystemError) {
        self.console = console
        hasTerminal = console?.hasTerminal ?? (isatty(0) == 1)
        ignored = [SIGHUP, SIGINT, SIGQUIT].filter { cd_signal_is_ignored($0) }
        // What the guest leaves behind becomes a child of this process, which so knows whether anything is left.
        _ = cd_set_subreaper(true)
        // Whoever ignores this one is never told how a child ended.
        SignalAction.standard.set(for: SIGCHLD)
        let taken = ignored
        signals = try SignalReader([SIGCHLD] + Self.signals.filter { !taken.contains($0) })
    }

    /// The guest's process as its parent sees it.
    struct Guest: ~Copyable {
        let pid: pid_t
        /// The master of its terminal.
        let terminal: FileDescriptor?
    }

    /// Takes the master from the child, gives it our terminal's size and modes, and lets the child go on.
    func adoptMaster(from socket: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor {
        let master = FileDescriptor(
            adopting: try syscall("recvmsg", "the guest's terminal") {
                cd_receive_descriptor(socket.rawValue)
            })
        if console != nil {
            _ = cd_set_window_size(master.rawValue, 24, 80)
        } else {
            _ = cd_copy_window_size(0, master.rawValue)
            var modes = termios()
            if tcgetattr(0, &modes) == 0 { tcsetattr(master.rawValue, TCSANOW, &modes) }
        }
        var go: UInt8 = 1
        _ = write(socket.rawValue, &go, 1)
        return master
    }

    /// Attends the guest to its end.
    func attend(_ guest: consuming Guest) throws -> ExitStatus {
        let pid = guest.pid
        if let console { return console.attend(pid, terminal: guest.terminal, signals) }
        if let master = guest.terminal {
            var relay = TerminalRelay(master)
            while true {
                let event = relay.wait(for: signals.descriptor)
                if event.signal, let status = try takeSignals(pid, &relay) {
                    relay.drain()
                    return status
                }
                relay.pass(event)
            }
        }
        var rest = Rest()
        while true {
            var entry = pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, rest.patience()) == 0 { rest.begin() }
            while let arrival = signals.next() {
                if arrival.number == SIGCHLD {
                    if let status = Reaping.all(watching: pid) { return status }
                } else if arrival.isFromProcess {
                    // What the terminal sent, the guest has got itself: it is in the same process group.
                    kill(pid, arrival.number)
                }
                if arrival.number == SIGTSTP { Self.stop() }
            }
        }
    }

    /// Handles what has come in; the guest's status when it has ended.
    private func takeSignals(_ pid: pid_t, _ relay: inout TerminalRelay) throws -> ExitStatus? {
        while let arrival = signals.next() {
            switch arrival.number {
            case SIGCHLD: if let status = Reaping.all(watching: pid) { return status }
            case SIGWINCH: relay.resize()
            case SIGCONT:
                kill(pid, SIGCONT)
                relay.resume()
            case SIGTSTP:
                kill(pid, SIGTSTP)
                relay.suspend()
                Self.stop()
            default: kill(pid, arrival.number)
            }
        }
        return nil
    }

    /// Stops this process as the signal would have done by itself.
    private static func stop() { kill(getpid(), SIGSTOP) }
}
