import CLinux
import Libc
import Platform

/// Ends the waiting of another thread for a file that has nothing to read.
final class Doorbell {
    private let listening: FileDescriptor
    private let ringing: FileDescriptor

    init() throws(SystemError) {
        var (read, write): (Int32, Int32) = (-1, -1)
        try syscall("pipe2") { cd_pipe(&read, &write) }
        listening = FileDescriptor(adopting: read)
        ringing = FileDescriptor(adopting: write)
    }

    /// For good: whoever waits afterwards is called, too.
    func ring() { try? ringing.writeAll([0]) }

    /// Returns when there is something to read, or the end; throws `ECANCELED` once it has rung.
    func wait(for file: borrowing FileDescriptor) throws(SystemError) {
        var files = [
            pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: listening.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        try syscall("poll") { poll(&files, 2, -1) }
        if files[1].revents != 0 { throw SystemError("read", code: ECANCELED) }
    }
}
