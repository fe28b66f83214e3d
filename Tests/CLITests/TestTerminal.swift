import CLI
import CLinux
import Libc
import Platform

/// A pseudo-terminal: a test types at one end, the program under test sits at the other.
final class TestTerminal {
    let master: Int32
    let peer: Int32

    init() throws {
        let master = try syscall("open", "/dev/ptmx") { open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) }
        self.master = master
        try syscall("unlock") { cd_pty_unlock(master) }
        peer = try syscall("peer") { cd_pty_peer(master) }
    }

    deinit {
        close(peer)
        close(master)
    }

    func type(_ text: String) throws {
        try syscall("write") {
            text.utf8CString.withUnsafeBytes { write(master, $0.baseAddress, $0.count - 1) }
        }
    }

    /// What is on the screen and was not read before; waits a moment for the first of it.
    func screen() -> String {
        var request = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard poll(&request, 1, 2000) == 1 else { return "" }
        let count = read(master, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    var isEchoing: Bool {
        var modes = termios()
        return tcgetattr(peer, &modes) == 0 && modes.c_lflag & tcflag_t(ECHO) != 0
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(peer, UInt(TIOCSWINSZ), &size)
    }
}
