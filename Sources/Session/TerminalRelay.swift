import CLinux
import Libc
import Platform

/// Passes bytes between this process's terminal and the guest's.
///
/// With the keyboard the terminal is raw while it lives, so that every key reaches the guest; it is restored when this
/// value goes. Without it the terminal stays as it is, and only shows what the guest writes.
struct TerminalRelay: ~Copyable {
    private let master: FileDescriptor
    /// Whether standard input is the terminal.
    private let hasKeyboard: Bool
    /// Where the guest's output is shown: the first standard descriptor that is a terminal.
    private let output: Int32
    private var saved = termios()
    private var isRaw = false
    private var inputIsOpen = true
    /// Typed, and not yet taken by the guest.
    private var pending: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var rest = Rest()

    /// The first standard descriptor that is a terminal.
    static var callersTerminal: Int32 { (Int32(0)...2).first { isatty($0) == 1 } ?? 0 }

    init(_ master: consuming FileDescriptor, hasKeyboard: Bool) {
        self.master = master
        self.hasKeyboard = hasKeyboard
        output = [1, 2, 0].first { isatty($0) == 1 } ?? 1
        _ = fcntl(self.master.rawValue, F_SETFL, fcntl(self.master.rawValue, F_GETFL) | O_NONBLOCK)
        tcgetattr(0, &saved)
        resume()
    }

    deinit { if isRaw, isForeground { restore(saved) } }

    /// What `wait` saw.
    struct Event {
        var signal = false
        var input = false
        var output = false
        var canWrite = false
    }

    /// Milliseconds between two looks whether the terminal is this job's again.
    private static let lookInterval: Int32 = 200

    /// Blocks until something is to be done.
    mutating func wait(for signals: borrowing FileDescriptor) -> Event {
        let wantsInput = hasKeyboard && isRaw && inputIsOpen && pending.count < 65536
        var entries = [
            pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wantsInput ? 0 : -1, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: master.rawValue, events: Int16(pending.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
        ]
        if guestHungUp { entries[2].fd = -1 }
        // A shell tells nobody when it brings a running job to the foreground, so somebody in the background looks.
        let count = poll(&entries, 3, rest.patience(atMost: isRaw || !hasKeyboard ? -1 : Self.lookInterval))
        if count == 0 { rest.begin() }
        guard count > 0 else { return Event() }
        let ready = Int16(POLLIN) | Int16(POLLHUP) | Int16(POLLERR)
        return Event(
            signal: entries[0].revents != 0, input: entries[1].revents != 0,
            output: entries[2].revents & ready != 0,
            canWrite: entries[2].revents & Int16(POLLOUT) != 0)
    }

    /// Nobody has the guest's end open, and nobody will be noticed who opens it again.
    private var guestHungUp = false
    /// The guest's end, once nobody else had it: whoever opens it again is then shown as before.
    private var guestEnd: FileDescriptor?

    private mutating func noteHangUp() {
        // Before Linux 4.13 the end cannot be had from here.
        let end = cd_pty_peer(master.rawValue)
        guestEnd = end < 0 ? nil : FileDescriptor(adopting: end)
        guestHungUp = end < 0
    }

    /// Passes on what is there.
    mutating func pass(_ event: Event) {
        if hasKeyboard, !isRaw { resume() }
        if event.input { takeInput() }
        if event.canWrite || !pending.isEmpty { giveInput() }
        if event.output, !showOutput() { noteHangUp() }
    }

    private mutating func takeInput() {
        let count = read(0, &buffer, buffer.count)
        if count > 0 {
            pending += buffer[..<count]
        } else if count == 0 || errno == EIO {
            inputIsOpen = false
        }
    }

    private mutating func giveInput() {
        let count = write(master.rawValue, pending, pending.count)
        if count > 0 {
            pending.removeFirst(count)
        } else if count < 0, errno != EAGAIN, errno != EINTR {
            pending.removeAll()
        }
    }

    /// Shows what the guest wrote; false when it is all there will be.
    private mutating func showOutput() -> Bool {
        let count = read(master.rawValue, &buffer, buffer.count)
        // EIO: nobody has the guest's end open any more.
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        var shown = 0
        while shown < count {
            let part = buffer.withUnsafeBytes {
                write(output, $0.baseAddress.map { $0 + shown }, count - shown)
            }
            if part < 0, errno == EAGAIN {
                // Somebody else has made this terminal non-blocking.
                var entry = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if part < 0, errno != EINTR {
                return true
            }
            shown += max(part, 0)
        }
        return true
    }

    /// Shows what the guest wrote before it ended.
    mutating func drain() {
        guestEnd = nil
        var rest = OutputRest()
        while !guestHungUp, rest.comes(from: master.rawValue) {
            if !showOutput() { guestHungUp = true }
        }
    }

    func resize() { _ = cd_copy_window_size(Self.callersTerminal, master.rawValue) }

    /// Does in the guest's terminal what the key for this signal would; false where there is no such key.
    func raise(_ signal: Int32) -> Bool { cd_pty_signal(master.rawValue, signal) == 0 }

    /// Whether the terminal is this job's.
    private var isForeground: Bool {
        let foreground = tcgetpgrp(0)
        // ENOTTY: it is nobody's controlling terminal, so there are no jobs.
        return foreground == getpgrp() || foreground < 0 && errno == ENOTTY
    }

    /// Takes the terminal when this is the foreground job; a background job must not touch it.
    mutating func resume() {
        guard hasKeyboard else { return resize() }
        guard isForeground else {
            isRaw = false
            return
        }
        var raw = saved
        cfmakeraw(&raw)
        tcsetattr(0, TCSANOW, &raw)
        isRaw = true
        resize()
    }

    /// Gives the terminal back for as long as this process is stopped.
    mutating func suspend() {
        if isRaw, isForeground { restore(saved) }
        isRaw = false
    }

    private func restore(_ modes: termios) {
        var modes = modes
        tcsetattr(0, TCSADRAIN, &modes)
    }
}
