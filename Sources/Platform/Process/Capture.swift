import CLinux
import Libc

extension Spawn {
    /// What a program wrote, and how it ended.
    package struct Captured: Hashable, Sendable {
        package let status: ExitStatus
        package let output: [UInt8]
        package let errors: [UInt8]
    }

    /// A captured program that was ended before its time.
    package enum CaptureFailure: UserFacing, Hashable {
        case timedOut(HostPath, Duration)
        case tooMuchOutput(HostPath, limit: Int)

        package var message: String {
            switch self {
            case .timedOut(let program, let time): "\(program) gave no answer within \(time)"
            case .tooMuchOutput(let program, let limit): "\(program) wrote more than \(limit) bytes"
            }
        }
    }

    /// Runs the program to its end and keeps what it writes to its standard output and standard error.
    ///
    /// It reads `input` and then the end of file. When it writes more than `limit` bytes to one of them or takes
    /// longer than `timeout` it is killed. What it leaves running in the background is not waited for.
    package func capture(
        input: [UInt8] = [], limit: Int, timeout: Duration, directory: Int32 = -1
    ) throws -> Captured {
        let deadline = Deadline(after: timeout)
        let file = FileDescriptor(adopting: try syscall("memfd_create") { cd_memfd("input") })
        try file.writeAll(input)
        try file.seek(to: 0)
        let outputPipe = try Pipe()
        let errorPipe = try Pipe()
        let streams = Streams(
            input: file.rawValue, output: outputPipe.raw.writing, errors: errorPipe.raw.writing)
        var child = Child(try start(streams, directory: directory))
        var output = try Inflow(outputPipe.readEnd())
        var errors = try Inflow(errorPipe.readEnd())
        while true {
            let left = deadline.milliseconds
            child.awaitEnd(or: output.pollable, errors.pollable, milliseconds: left)
            // Asked before the last read, so that nothing that was written before the end is missed.
            let status = try child.poll()
            try output.drain(limit: limit)
            try errors.drain(limit: limit)
            guard output.bytes.count <= limit, errors.bytes.count <= limit else {
                throw CaptureFailure.tooMuchOutput(program, limit: limit)
            }
            if let status { return Captured(status: status, output: output.bytes, errors: errors.bytes) }
            if left == 0 { throw CaptureFailure.timedOut(program, timeout) }
        }
    }
}

/// A child that does not outlive this value: it is killed and reaped, should it still run.
private struct Child: ~Copyable {
    private let pid: pid_t
    /// -1 where there is no pidfd.
    private let pidfd: Int32
    private var hasEnded = false

    init(_ pid: pid_t) {
        self.pid = pid
        pidfd = cd_pidfd_open(pid)
    }

    deinit {
        if pidfd >= 0 { close(pidfd) }
        if !hasEnded {
            kill(pid, SIGKILL)
            _ = try? Reaping.wait(for: pid)
        }
    }

    mutating func poll() throws(SystemError) -> ExitStatus? {
        let status = try Reaping.poll(pid)
        hasEnded = status != nil
        return status
    }

    /// Waits until the child has ended or one of the streams has something to say.
    func awaitEnd(or first: Int32, _ second: Int32, milliseconds: Int32) {
        var entries = [first, second, pidfd].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // Without a pidfd the end has to be asked for now and then.
        _ = Libc.poll(&entries, 3, pidfd < 0 ? min(milliseconds, 10) : milliseconds)
    }
}

/// The reading end of a pipe and what has come out of it.
private struct Inflow: ~Copyable {
    private let descriptor: FileDescriptor
    private var isOpen = true
    private(set) var bytes: [UInt8] = []

    init(_ descriptor: consuming FileDescriptor) throws(SystemError) {
        let raw = descriptor.rawValue
        self.descriptor = descriptor
        try syscall("fcntl") { fcntl(raw, F_SETFL, O_NONBLOCK) }
    }

    /// What to wait on; -1, which poll(2) passes over, after the end.
    var pollable: Int32 { isOpen ? descriptor.rawValue : -1 }

    /// Takes what there is, until it is more than `limit` bytes.
    mutating func drain(limit: Int) throws(SystemError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 16384, alignment: 1)
        defer { chunk.deallocate() }
        while isOpen, bytes.count <= limit {
            do {
                let count = try descriptor.read(into: chunk)
                isOpen = count > 0
                bytes += chunk[..<count]
            } catch  where error.code == EAGAIN {
                return
            }
        }
    }
}
