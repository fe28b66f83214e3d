import Libc
import Platform

/// Seconds of the monotonic clock.
package enum Clock {
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Feeds a program and drains it at the same time, so that neither waits for the other.
struct Pump: ~Copyable {
    private var input: FileDescriptor?
    private let output: FileDescriptor
    private let complaint: FileDescriptor
    private var pending: ArraySlice<UInt8>
    private(set) var said = Said()

    struct Said {
        var output: [UInt8] = []
        var complaint: [UInt8] = []
    }

    init(
        input: consuming FileDescriptor, output: consuming FileDescriptor,
        complaint: consuming FileDescriptor,
        pending: [UInt8]
    ) {
        _ = fcntl(input.rawValue, F_SETFL, O_NONBLOCK)
        signal(SIGPIPE, SIG_IGN)
        self.input = consume input
        self.output = output
        self.complaint = complaint
        self.pending = pending[...]
        if pending.isEmpty { self.input = nil }
    }

    /// Runs until both outputs have ended; false when `deadline` passed first.
    mutating func run(until deadline: Double) throws(SystemError) -> Bool {
        var openOutputs = [true, true]
        while openOutputs.contains(true) {
            let left = deadline - Clock.now
            guard left > 0 else { return false }
            let feeding = input.rawValueOrNone
            var polled = [
                pollfd(fd: openOutputs[0] ? output.rawValue : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: openOutputs[1] ? complaint.rawValue : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: feeding, events: Int16(POLLOUT), revents: 0),
            ]
            try syscall("poll") { poll(&polled, 3, Int32(min(left, 60) * 1000) + 1) }
            if polled[0].revents != 0 {
                openOutputs[0] = try Self.readOnce(output.rawValue, into: &said.output)
            }
            if polled[1].revents != 0 {
                openOutputs[1] = try Self.readOnce(complaint.rawValue, into: &said.complaint)
            }
            if polled[2].revents != 0 { feed() }
        }
        return true
    }

    /// Writes what the program takes now; closes its input at the end, or when it takes no more.
    private mutating func feed() {
        let descriptor = input.rawValueOrNone
        let count = pending.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { pending = pending.dropFirst(count) }
        let isBlocked = count < 0 && (errno == EAGAIN || errno == EINTR)
        if pending.isEmpty || (count < 0 && !isBlocked) { input = nil }
    }

    /// Reads what there is; false at the end.
    private static func readOnce(
        _ descriptor: Int32, into bytes: inout [UInt8]
    ) throws(SystemError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        do {
            let count = try syscall("read") { read(descriptor, &buffer, buffer.count) }
            bytes += buffer[..<count]
            return count > 0
        } catch  where error.code == EIO {
            return false  // A terminal whose other side is closed.
        }
    }

    /// Waits for bytes and reads them; false at the end, or when `deadline` passed.
    static func readSome(
        _ descriptor: Int32, into bytes: inout [UInt8], until deadline: Double
    ) throws(SystemError) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let left = max(0, deadline - Clock.now)
        guard try syscall("poll", "", { poll(&polled, 1, Int32(left * 1000)) }) > 0 else { return false }
        return try readOnce(descriptor, into: &bytes)
    }
}

extension Optional where Wrapped == FileDescriptor {
    /// The number, or the -1 that poll(2) passes over.
    var rawValueOrNone: Int32 {
        switch self {
        case .some(let descriptor): descriptor.rawValue
        case nil: -1
        }
    }
}
