import Libc

/// Signals that would leave a terminal without echo: held back while somebody types, and let through afterwards.
struct PromptSignals {
    private static let numbers = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP]

    private let mask: sigset_t

    /// Holds them back from now on.
    init() {
        var held = sigset_t()
        var before = sigset_t()
        sigemptyset(&held)
        for number in Self.numbers { sigaddset(&held, number) }
        pthread_sigmask(SIG_BLOCK, &held, &before)
        mask = before
    }

    /// Waits for input; `false` when one of the signals came instead.
    ///
    /// They stay pending: looking at what is pending, in short waits, needs no handler and so no global state.
    static func waitForInput(_ descriptor: Int32) -> Bool {
        while true {
            if isPending { return false }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, 50) != 0 { return !isPending }
        }
    }

    /// Lets pending signals through; `true` when one had come and the process is still here.
    static func takeEffect() -> Bool {
        guard isPending else { return false }
        var held = sigset_t()
        sigemptyset(&held)
        for number in numbers { sigaddset(&held, number) }
        pthread_sigmask(SIG_UNBLOCK, &held, nil)
        pthread_sigmask(SIG_BLOCK, &held, nil)
        return true
    }

    /// Sets the mask as it was.
    func restore() {
        var mask = mask
        pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    private static var isPending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return numbers.contains { sigismember(&pending, $0) == 1 }
    }
}
