import CLinux
import Libc
import Platform
import Store

/// What a detached session has in the place of its caller's terminal: a log, and a door for those who attach.
package final class DetachedConsole {
    /// Whether the command has a terminal.
    let hasTerminal: Bool
    private var log: OutputLog
    /// Told once the command runs.
    private let report: Int32
    /// The guest's output: the master of its terminal, or a pipe.
    private var source: Int32 = -1
    private var door: Int32 = -1
    private var visitors: [Visitor] = []
    /// Typed by visitors, and not yet taken by the guest.
    private var pending: [UInt8] = []
    /// The end of the output, for whoever attaches.
    private var tail: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 32768)
    private var rest = Rest()

    /// Bytes of the output that a new visitor is shown.
    private static let tailLength = 8192
    private static let visitorLimit = 16

    /// Puts the pipe in the place of the standard descriptors, which the guest inherits, unless it gets a terminal.
    init(log: consuming OutputLog, hasTerminal: Bool, report: Int32) throws(SystemError) {
        self.log = log
        self.hasTerminal = hasTerminal
        self.report = report
        let null = try FileDescriptor.open("/dev/null", O_RDWR)
        try syscall("dup2") { dup2(null.rawValue, 0) }
    }

    /// The reading end stays here, the other one becomes the guest's.
    private var pipe: (reading: Int32, writing: Int32)?

    /// Makes the pipe before the guest is forked.
    func openPipe() throws(SystemError) {
        guard !hasTerminal else { return }
        var (reading, writing): (Int32, Int32) = (-1, -1)
        try syscall("pipe2") { cd_pipe(&reading, &writing) }
        pipe = (reading, writing)
    }

    /// What the guest has for standard output and error; -1 where that is its terminal.
    var guestOutput: Int32 { pipe?.writing ?? -1 }

    /// The command runs: says so to the caller, and lets go of all that is the caller's.
    func announce(_ registry: borrowing SessionRegistry) {
        if let pipe {
            close(pipe.writing)
            source = pipe.reading
        }
        door = (try? registry.openDoor(getpid()).release()) ?? -1
        _ = write(report, Self.success, Self.success.count)
        close(report)
        if let null = try? FileDescriptor.open("/dev/null", O_RDWR) {
            for descriptor in Int32(0)...2 { dup2(null.rawValue, descriptor) }
        }
        _ = chdir("/")
    }

    /// What the caller is told.
    static let success: [UInt8] = Array("+".utf8)

    // MARK: - The session

    /// Attends the guest to its end.
    func attend(_ pid: pid_t, terminal: consuming FileDescriptor?, _ signals: borrowing SignalReader)
        -> ExitStatus
    {
        if let terminal { source = terminal.release() }
        if source >= 0 { _ = fcntl(source, F_SETFL, fcntl(source, F_GETFL) | O_NONBLOCK) }
        while true {
            wait(signals.descriptor.rawValue)
            while let arrival = signals.next() {
                if arrival.number != SIGCHLD {
                    kill(pid, arrival.number)
                } else if let status = Reaping.all(watching: pid) {
                    finish(status)
                    return status
                }
            }
        }
    }

    private func wait(_ signals: Int32) {
        let wantsInput = pending.count < 65536
        var entries = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: source, events: Int16(pending.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
            pollfd(fd: door, events: Int16(POLLIN), revents: 0),
        ]
        for visitor in visitors {
            let events = (wantsInput ? POLLIN : 0) | (visitor.outgoing.isEmpty ? 0 : POLLOUT)
            entries.append(pollfd(fd: visitor.socket, events: Int16(events), revents: 0))
        }
        let count = poll(&entries, nfds_t(entries.count), rest.patience())
        if count == 0 { rest.begin() }
        guard count > 0 else { return }
        if entries[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, !takeOutput() { closeSource() }
        for (visitor, entry) in zip(visitors, entries.dropFirst(3)) where entry.revents != 0 {
            hear(visitor)
            visitor.flush()
        }
        if entries[2].revents != 0 { welcome() }
        giveInput()
        visitors.removeAll { $0.isGone }
    }

    private func closeSource() {
        close(source)
        source = -1
        pending = []
    }

    /// Takes some of the guest's output; false when it is all there will be.
    private func takeOutput() -> Bool {
        let count = read(source, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        log.write(buffer[..<count])
        tail += buffer[..<count]
        if tail.count > 2 * Self.tailLength { tail.removeFirst(tail.count - Self.tailLength) }
        let frames = AttachFrame.all(.output, buffer[..<count])
        for visitor in visitors { visitor.send(frames) }
        return true
    }

    private func giveInput() {
        guard !pending.isEmpty, hasTerminal, source >= 0 else { return pending = [] }
        let count = write(source, pending, pending.count)
        if count > 0 {
            pending.removeFirst(count)
        } else if count < 0, errno != EAGAIN, errno != EINTR {
            pending = []
        }
    }

    private func welcome() {
        let socket = cd_accept(door)
        guard socket >= 0 else { return }
        let visitor = Visitor(socket)
        guard visitors.count < Self.visitorLimit, cd_peer_user(socket) == Int64(geteuid()) else { return }
        visitor.send(AttachFrame(kind: .hello, content: [hasTerminal ? 1 : 0]).bytes)
        if hasTerminal { visitor.send(AttachFrame.all(.output, tail.suffix(Self.tailLength))) }
        visitors.append(visitor)
    }

    private func hear(_ visitor: Visitor) {
        visitor.listen()
        while let frame = visitor.next() {
            if frame.kind == .input, hasTerminal {
                pending += frame.content
            } else if let (rows, columns) = frame.window, hasTerminal, source >= 0 {
                _ = cd_set_window_size(source, rows, columns)
            }
        }
    }

    /// Takes what the guest wrote before it ended, and tells everybody how it ended.
    private func finish(_ status: ExitStatus) {
        var rest = OutputRest()
        while source >= 0, rest.comes(from: source), takeOutput() {}
        let end = AttachFrame(kind: .end, content: [UInt8(truncatingIfNeeded: status.code)]).bytes
        let deadline = Deadline(after: .seconds(1))
        for visitor in visitors {
            visitor.send(end)
            while !visitor.isGone, !visitor.outgoing.isEmpty, deadline.milliseconds > 0 {
                var entry = pollfd(fd: visitor.socket, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, deadline.milliseconds)
                visitor.flush()
            }
        }
        visitors = []
    }
}

/// Somebody who is attached to a detached session.
private final class Visitor {
    let socket: Int32
    private(set) var outgoing: [UInt8] = []
    private(set) var isGone = false
    private var incoming: [UInt8] = []

    /// Bytes that may wait for a visitor who does not read; then he has to attach again.
    private static let patience = 4 << 20

    init(_ socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    func send(_ bytes: [UInt8]) {
        outgoing += bytes
        if outgoing.count > Self.patience { isGone = true }
        flush()
    }

    func flush() {
        while !outgoing.isEmpty, !isGone {
            let count = write(socket, outgoing, outgoing.count)
            guard count > 0 else {
                if errno != EAGAIN, errno != EINTR { isGone = true }
                return
            }
            outgoing.removeFirst(count)
        }
    }

    func listen() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(socket, &buffer, buffer.count)
        if count > 0 {
            incoming += buffer[..<count]
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            isGone = true
        }
    }

    func next() -> AttachFrame? {
        do { return try AttachFrame.take(from: &incoming) } catch {
            isGone = true
            return nil
        }
    }
}
