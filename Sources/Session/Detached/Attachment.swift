import CLinux
import Libc
import Platform
import Store

/// This terminal joined to a detached session.
package struct Attachment: ~Copyable {
    private let socket: FileDescriptor
    /// The keys that end it and leave the session alone.
    private var keys: KeySequence
    private var incoming: [UInt8] = []
    /// For the session, which takes no more while its command reads nothing.
    private var outgoing: [UInt8] = []
    private var modes: TerminalModes?
    private var readsInput = true

    /// How it ended.
    package enum End: Equatable, Sendable {
        /// The session's command has ended.
        case ended(ExitStatus)
        /// By the keys, the end of the input, or a signal.
        case left(ExitStatus)
        /// The session is gone without a word.
        case lost
    }

    /// Knocks at the door of a session.
    package init(
        to session: pid_t, of registry: borrowing SessionRegistry, keys: [UInt8]
    ) throws(SystemError) {
        socket = try registry.connect(to: session)
        _ = fcntl(socket.rawValue, F_SETFL, fcntl(socket.rawValue, F_GETFL) | O_NONBLOCK)
        self.keys = KeySequence(keys)
    }

    /// Bytes that wait for the session at most: what is typed beyond that is lost, but whoever wants to leave can.
    private static let patience = 1 << 20

    /// Passes bytes in both directions until one side leaves.
    package mutating func run() throws(SystemError) -> End {
        let signals = try SignalReader([SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT])
        defer { try? modes?.restore() }
        while true {
            var entries = [
                pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: socket.rawValue, events: Int16(outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT),
                    revents: 0),
                pollfd(fd: readsInput ? 0 : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&entries, 3, -1)
            while let arrival = signals.next() {
                guard arrival.number == SIGWINCH else { return .left(.killed(by: arrival.number)) }
                sendSize()
            }
            if entries[1].revents & ~Int16(POLLOUT) != 0, let end = takeOutput() { return end }
            if entries[2].revents != 0, !takeInput() { return .left(.success) }
            flush()
        }
    }

    /// Shows what the session sent.
    private mutating func takeOutput() -> End? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(socket.rawValue, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return nil }
        guard count > 0 else { return .lost }
        incoming += buffer[..<count]
        do throws(AttachFrame.Nonsense) { return try takeFrames() } catch { return .lost }
    }

    private mutating func takeFrames() throws(AttachFrame.Nonsense) -> End? {
        while let frame = try AttachFrame.take(from: &incoming) {
            switch frame.kind {
            case .hello: begin(withTerminal: frame.content == [1])
            case .output: if (try? Self.show(frame.content)) == nil { return .left(.failure) }
            case .end: return .ended(ExitStatus(code: Int32(frame.content.first ?? 1)))
            case .input, .window: return .lost
            }
        }
        return nil
    }

    private static func show(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try syscall("write", "standard output") {
                rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
    }

    private mutating func begin(withTerminal hasTerminal: Bool) {
        // A command without a terminal reads nothing, so that the keys keep their usual meaning here.
        readsInput = hasTerminal
        guard hasTerminal, isatty(0) == 1 else { return }
        modes = TerminalModes(of: 0)
        try? modes?.makeRaw()
        sendSize()
    }

    private mutating func sendSize() {
        guard let size = Terminal.size(of: 0) else { return }
        // A program draws anew when its window changes, so it is made to.
        let rows = UInt16(clamping: size.rows)
        let columns = UInt16(clamping: size.columns)
        send(AttachFrame.window(rows: max(rows, 2) - 1, columns: columns).bytes)
        send(AttachFrame.window(rows: rows, columns: columns).bytes)
    }

    private mutating func send(_ bytes: [UInt8]) {
        if outgoing.count + bytes.count <= Self.patience { outgoing += bytes }
    }

    private mutating func flush() {
        guard !outgoing.isEmpty else { return }
        let count = write(socket.rawValue, outgoing, outgoing.count)
        if count > 0 {
            outgoing.removeFirst(count)
        } else if count < 0, errno != EAGAIN, errno != EINTR {
            // Reading will tell why.
            outgoing = []
        }
    }

    /// Sends what is typed; false when the person leaves.
    private mutating func takeInput() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(0, &buffer, buffer.count)
        guard count > 0 else {
            if count == 0 || errno != EINTR { readsInput = false }
            return true
        }
        let (typed, isComplete) = keys.take(buffer[..<count])
        send(AttachFrame.all(.input, typed[...]))
        return !isComplete
    }
}

/// Keys that mean something only one after the other; until then they are held back.
struct KeySequence: Equatable {
    private let keys: [UInt8]
    private var matched = 0

    init(_ keys: [UInt8]) { self.keys = keys }

    /// What of the typed bytes is to be passed on, and whether the sequence is complete.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> (typed: [UInt8], isComplete: Bool) {
        var typed: [UInt8] = []
        for byte in bytes {
            guard !keys.isEmpty else {
                typed.append(byte)
                continue
            }
            if byte != keys[matched] {
                typed += keys[..<matched]
                matched = 0
            }
            if byte == keys[matched] {
                matched += 1
                if matched == keys.count { return (typed, true) }
            } else {
                typed.append(byte)
            }
        }
        return (typed, false)
    }
}
