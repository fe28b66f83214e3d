import CLinux
import Libc

/// What is known of the terminal behind a descriptor.
package enum Terminal {
    /// How many cells a terminal shows.
    package struct Size: Hashable, Sendable {
        package let rows: Int
        package let columns: Int

        package init(rows: Int, columns: Int) {
            self.rows = rows
            self.columns = columns
        }
    }

    /// Whether `descriptor` is a terminal (isatty(3)).
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// The size of the terminal behind `descriptor`; `nil` when there is none or it does not know.
    package static func size(of descriptor: Int32) -> Size? {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        guard cd_window_size(descriptor, &rows, &columns) == 0, columns > 0 else { return nil }
        return Size(rows: Int(rows), columns: Int(columns))
    }

    /// Columns to lay text out for: those of stderr, stdout or stdin, else `$COLUMNS`.
    package static func columns() -> Int? {
        for descriptor in [STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO] {
            if let size = size(of: descriptor) { return size.columns }
        }
        return getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Whether somebody is typing a secret there, or a full-screen program has the screen: ECHO or ICANON is off.
    ///
    /// Anything written at such a moment would land in the middle of another program's prompt.
    package static func isOccupied(_ descriptor: Int32) -> Bool {
        var modes = termios()
        guard tcgetattr(descriptor, &modes) == 0 else { return false }
        let calm = tcflag_t(ECHO | ICANON)
        return modes.c_lflag & calm != calm
    }
}

/// The modes of a terminal as they were found, to be put back later.
///
/// Restoring is explicit, because a program that execs or dies by a signal never reaches a `deinit`.
package struct TerminalModes: Sendable {
    private let descriptor: Int32
    private let found: termios

    /// Remembers the modes of the terminal behind `descriptor`; `nil` when there is none.
    package init?(of descriptor: Int32) {
        var modes = termios()
        guard tcgetattr(descriptor, &modes) == 0 else { return nil }
        self.descriptor = descriptor
        found = modes
    }

    /// Puts the remembered modes back, after what is still to be written has been written.
    package func restore() throws(SystemError) { try set(found) }

    /// Hands every byte on as it comes, without echo, line editing or signals (cfmakeraw(3)).
    package func makeRaw() throws(SystemError) {
        var modes = found
        cfmakeraw(&modes)
        try set(modes)
    }

    /// Whole lines, but what is typed is not shown; only the final newline is.
    package func hideTyping() throws(SystemError) {
        var modes = found
        modes.c_lflag &= ~tcflag_t(ECHO)
        modes.c_lflag |= tcflag_t(ICANON | ECHONL | ISIG)
        try set(modes)
    }

    private func set(_ modes: termios) throws(SystemError) {
        var modes = modes
        try syscall("tcsetattr") { tcsetattr(descriptor, TCSADRAIN, &modes) }
    }
}
