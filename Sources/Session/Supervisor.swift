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

    /// What a guest has of its caller's terminal.
    enum Terminal: Equatable {
        /// All of it, whether there is one or not: it is in the caller's session.
        case callers
        /// One of its own, which is shown there; with the keyboard, what is typed there reaches it.
        case own(hasKeyboard: Bool)
        /// Nothing: it has a session of its own, so that /dev/tty is nobody's.
        case none

        /// By what the standard descriptors are; `isConfined` guests never get the caller's.
        ///
        /// Whoever has something else for its input leaves the keys to those who read them.
        init(of descriptors: [Int32] = [0, 1, 2], isConfined: Bool) {
            let terminals = descriptors.map { isatty($0) == 1 }
            if terminals[0] {
                self = .own(hasKeyboard: true)
            } else if !isConfined {
                self = .callers
            } else {
                self = terminals.contains(true) ? .own(hasKeyboard: false) : .none
            }
        }

        var isOwn: Bool { self == .own(hasKeyboard: true) || self == .own(hasKeyboard: false) }
    }

    let terminal: Terminal
    /// Signals that the caller ignores: they do not reach this process.
    private let ignored: [Int32]
    /// Those of them that the guest ignores too, as after nohup(1): keys of a terminal of its own are its own affair.
    var ignoredByGuest: [Int32] {
        terminal == .own(hasKeyboard: true) || console?.hasTerminal == true ? [] : ignored
    }
    private let signals: SignalReader
    /// What a detached session has in the place of the caller's terminal.
    let console: DetachedConsole?

    /// Blocks the signals, so that none is lost between the fork and the first wait.
    init(_ console: DetachedConsole? = nil, isConfined: Bool = false) throws(SystemError) {
        self.console = console
        if let console {
            terminal = console.hasTerminal ? .own(hasKeyboard: false) : .callers
        } else {
            terminal = Terminal(isConfined: isConfined)
        }
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

    /// Gives a new terminal the size and modes of our own.
    func equip(_ master: borrowing FileDescriptor) {
        if console != nil {
            _ = cd_set_window_size(master.rawValue, 24, 80)
            return
        }
        let callers = TerminalRelay.callersTerminal
        _ = cd_copy_window_size(callers, master.rawValue)
        var modes = termios()
        guard tcgetattr(callers, &modes) == 0 else { return }
        // Where the caller's stays as it is, it makes its line ends itself.
        if terminal == .own(hasKeyboard: false) { modes.c_oflag &= ~tcflag_t(OPOST) }
        tcsetattr(master.rawValue, TCSANOW, &modes)
    }

    /// Attends the guest to its end.
    func attend(_ guest: consuming Guest) throws -> ExitStatus {
        let pid = guest.pid
        if let console { return console.attend(pid, terminal: guest.terminal, signals) }
        if let master = guest.terminal {
            var relay = TerminalRelay(master, hasKeyboard: terminal == .own(hasKeyboard: true))
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
                    kill(pid, arrival.number)
                } else if terminal == .none {
                    // In the caller's process group the guest has got itself what the terminal sent; here it has not.
                    kill(-pid, arrival.number)
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
            default:
                // The keys of a terminal mean whoever is in its foreground.
                if arrival.isFromProcess || !relay.raise(arrival.number) { kill(pid, arrival.number) }
            }
            if arrival.number == SIGTSTP {
                relay.suspend()
                Self.stop()
            }
        }
        return nil
    }

    /// Stops this process as the signal would have done by itself.
    private static func stop() { kill(getpid(), SIGSTOP) }
}
