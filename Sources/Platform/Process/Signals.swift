import CLinux
import Libc

/// A signal of signal(7).
package struct Signal: Hashable, Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// The names without `SIG`, and what each is called by this C library.
    private static let table: [(String, Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP),
        ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV),
        ("USR2", SIGUSR2),
        ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("CHLD", SIGCHLD), ("CONT", SIGCONT),
        ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN), ("TTOU", SIGTTOU), ("URG", SIGURG),
        ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM), ("PROF", SIGPROF), ("WINCH", SIGWINCH),
        ("IO", SIGIO), ("PWR", SIGPWR), ("SYS", SIGSYS), ("IOT", SIGABRT), ("POLL", SIGIO), ("CLD", SIGCHLD),
    ]

    /// From `SIGINT`, `INT` (in any case) or `2`; `RTMIN+3` and `RTMAX-1` name the real-time signals.
    package init?(_ text: String) {
        var name = text.uppercased()
        if let number = Int32(name) {
            guard number > 0, number < cd_signal_count, !name.hasPrefix("+") else { return nil }
            self.number = number
            return
        }
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let entry = Self.table.first(where: { $0.0 == name }) {
            number = entry.1
        } else if let realTime = Self.realTime(name) {
            number = realTime
        } else {
            return nil
        }
    }

    private static func realTime(_ name: String) -> Int32? {
        // The kernel's numbers; C libraries keep the first two or three to themselves.
        let lowest = cd_signal_realtime_minimum()
        let highest = cd_signal_realtime_maximum()
        let number: Int32
        if name.hasPrefix("RTMIN") {
            guard let offset = offset(name.dropFirst(5), sign: "+") else { return nil }
            number = lowest + offset
        } else if name.hasPrefix("RTMAX") {
            guard let offset = offset(name.dropFirst(5), sign: "-") else { return nil }
            number = highest - offset
        } else {
            return nil
        }
        return (lowest...highest).contains(number) ? number : nil
    }

    private static func offset(_ text: Substring, sign: Character) -> Int32? {
        if text.isEmpty { return 0 }
        let digits = text.dropFirst()
        guard text.first == sign, digits.count <= 2, digits.allSatisfy({ ("0"..."9").contains($0) }) else {
            return nil
        }
        return Int32(digits)
    }
}

extension Signal: CustomStringConvertible {
    /// `SIGINT`, or the number of a signal without a name.
    package var description: String {
        Self.table.first { $0.1 == number }.map { "SIG\($0.0)" } ?? "\(number)"
    }
}

/// A set of signals to block or to wait for (sigsetops(3)).
package struct SignalSet {
    private(set) var raw = sigset_t()

    package init(_ signals: [Int32]) {
        sigemptyset(&raw)
        for signal in signals { sigaddset(&raw, signal) }
    }

    private init(raw: sigset_t) { self.raw = raw }

    package static var all: SignalSet {
        var set = SignalSet([])
        sigfillset(&set.raw)
        return set
    }

    package func contains(_ signal: Int32) -> Bool {
        var copy = raw
        return sigismember(&copy, signal) == 1
    }

    /// Blocks these signals too; returns what was blocked before, for `restore`.
    @discardableResult
    package func block() -> SignalSet { change(SIG_BLOCK) }

    @discardableResult
    package func unblock() -> SignalSet { change(SIG_UNBLOCK) }

    /// Blocks exactly these signals.
    package func restore() { _ = change(SIG_SETMASK) }

    private func change(_ how: Int32) -> SignalSet {
        var new = raw
        var old = sigset_t()
        _ = pthread_sigmask(how, &new, &old)
        return SignalSet(raw: old)
    }
}

/// What this process does about a signal.
package enum SignalAction {
    case standard, ignore

    package func set(for signal: Int32) { _ = cd_signal_disposition(signal, self == .ignore ? 1 : 0) }

    /// Gives every signal its default action and unblocks all: what a program expects at its start.
    package static func restoreDefaults() {
        for signal in 1..<cd_signal_count { SignalAction.standard.set(for: signal) }
        SignalSet([]).restore()
    }
}

/// Blocked signals made readable, so that one `poll` can wait for them and for descriptors (signalfd(2)).
package struct SignalReader: ~Copyable {
    package let descriptor: FileDescriptor
    private let before: SignalSet

    /// Blocks the signals until this value goes.
    package init(_ signals: [Int32]) throws(SystemError) {
        let set = SignalSet(signals)
        before = set.block()
        do {
            var raw = set.raw
            descriptor = FileDescriptor(adopting: try syscall("signalfd") { cd_signalfd(&raw) })
        } catch {
            before.restore()
            throw error
        }
    }

    deinit { before.restore() }

    /// A signal that has come in.
    package struct Arrival: Hashable, Sendable {
        package let number: Int32
        /// Whether a process sent it; otherwise the kernel did, such as for a key on the terminal.
        package let isFromProcess: Bool
    }

    /// The next signal that has come in, or `nil`; never waits.
    package func next() -> Arrival? {
        var fromUser: Int32 = 0
        let number = cd_signalfd_take(descriptor.rawValue, &fromUser)
        return number > 0 ? Arrival(number: number, isFromProcess: fromUser != 0) : nil
    }
}
