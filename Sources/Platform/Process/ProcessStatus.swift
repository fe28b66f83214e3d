import Libc

/// What /proc/PID/stat says of a process (proc_pid_stat(5)).
package struct ProcessStatus: Hashable, Sendable {
    /// The state's letter, such as `S` or `Z`.
    package let state: UInt8
    package let parent: pid_t
    /// How many threads it has; the first one may have ended before the others.
    package let threads: Int
    /// Clock ticks since boot.
    package let startTime: UInt64

    package init?(of pid: pid_t) {
        guard let file = try? FileDescriptor.open(HostPath("/proc/\(pid)/stat"), O_RDONLY),
            let bytes = try? file.readAll(limit: 16384)
        else { return nil }
        self.init(parsing: bytes)
    }

    /// The name in the second field may hold spaces and parentheses: what counts starts after the last one.
    package init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0].count == 1, let state = fields[0].first,
            let parent = pid_t(String(decoding: fields[1], as: UTF8.self)),
            let threads = Int(String(decoding: fields[17], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.parent = parent
        self.threads = threads
        self.startTime = startTime
    }

    /// Whether it is only waiting to be reaped.
    ///
    /// The state is that of its first thread, which may be a zombie while others still run.
    package var hasEnded: Bool {
        [UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x")].contains(state) && threads < 2
    }
}
