import CLinux
import Libc
import Platform

/// A program on a terminal of its own, with somebody at the keyboard.
package struct TestTerminal: ~Copyable {
    private var master: FileDescriptor?
    package let pid: pid_t
    private var status: ExitStatus?
    /// Everything that the program has shown so far.
    package private(set) var shown: [UInt8] = []

    /// Starts a program with a new pseudo-terminal as its controlling terminal and its three standard descriptors.
    package init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = Run.environment,
        directory: HostPath? = nil, rows: UInt16 = 24, columns: UInt16 = 80
    ) throws {
        let master = try FileDescriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try syscall("ioctl", "TIOCSPTLCK") { cd_pty_unlock(master.rawValue) }
        var number: UInt32 = 0
        let getNumber: UInt = 0x8004_5430  // TIOCGPTN
        try syscall("ioctl", "TIOCGPTN") { ioctl(master.rawValue, getNumber, &number) }
        let name = "/dev/pts/\(number)"
        Self.setSize(master.rawValue, rows: rows, columns: columns)
        var variables = environment
        variables["TERM"] = variables["TERM"] ?? "xterm"
        pid = try spawn(program, arguments, environment: variables, directory: directory) { actions in
            // The first terminal that a session leader opens becomes its controlling terminal.
            posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
        self.master = consume master
    }

    deinit {
        guard status == nil else { return }
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// What the program has shown as text.
    package var text: String { String(decoding: shown, as: UTF8.self) }

    /// Types; `\u{3}` is Ctrl-C, `\u{4}` Ctrl-D, `\u{1a}` Ctrl-Z.
    package func type(_ keys: String) throws { try master?.writeAll(keys) }

    /// Reads until `text` appears behind what the last such wait found; all that came since then.
    @discardableResult
    package mutating func wait(for text: String, timeout: Double = 60) throws -> String {
        let start = seen
        let deadline = Clock.now + timeout
        while true {
            let part = String(decoding: shown[start...], as: UTF8.self)
            if let range = shown[start...].firstRange(of: Array(text.utf8)) {
                // What has come with it may be waited for next.
                seen = range.upperBound
                return part
            }
            guard try readSome(until: deadline) else {
                throw Run.Failure(description: "\(text) did not appear, but: \(part)")
            }
        }
    }
    private var seen = 0

    private mutating func readSome(until deadline: Double) throws -> Bool {
        guard master != nil else { return false }
        return try Pump.readSome(master.rawValueOrNone, into: &shown, until: deadline)
    }

    /// Changes the size of the window; the kernel tells the foreground programs (SIGWINCH).
    package func resize(rows: UInt16, columns: UInt16) {
        Self.setSize(master.rawValueOrNone, rows: rows, columns: columns)
    }

    private static func setSize(_ terminal: Int32, rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// The terminal's modes, which a program has to leave as they were.
    package var modes: [UInt32] {
        var value = termios()
        tcgetattr(master.rawValueOrNone, &value)
        return [value.c_iflag, value.c_oflag, value.c_cflag, value.c_lflag]
    }

    /// The process group that has the terminal.
    package var foreground: pid_t {
        var group: pid_t = -1
        _ = ioctl(master.rawValueOrNone, UInt(TIOCGPGRP), &group)
        return group
    }

    /// Closes the window as a terminal emulator does: the session gets SIGHUP.
    package mutating func hangUp() { master = nil }

    /// Reads to the end and waits for the program.
    package mutating func finish(timeout: Double = 60) throws -> ExitStatus {
        let deadline = Clock.now + timeout
        while try readSome(until: deadline) {}
        while Clock.now < deadline {
            var raw: Int32 = 0
            if waitpid(pid, &raw, WNOHANG) == pid {
                var code: Int32 = 0
                let result: ExitStatus =
                    cd_wait_kind(raw, &code) == 2 ? .killed(by: code) : ExitStatus(code: code)
                status = result
                return result
            }
            usleep(1000)
        }
        throw Run.Failure(description: "still running after \(timeout) seconds; it showed: \(text)")
    }
}
