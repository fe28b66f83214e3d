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
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")), bytes.count > end + 3,
            bytes[end + 3] == UInt8(ascii: " ")
        else { return nil }
        state = bytes[end + 2]
        var fields = NumberFields(bytes[(end + 4)...])
        guard let parent = fields.next().flatMap({ pid_t(exactly: $0) }), fields.skip(15),
            let threads = fields.next().flatMap({ Int(exactly: $0) }), fields.skip(1),
            let startTime = fields.next()
        else { return nil }
        self.parent = parent
        self.threads = threads
        self.startTime = startTime
    }

    /// Numbers with a space between each two.
    private struct NumberFields {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        /// The next one; `nil` when it is none, or a negative one.
        mutating func next() -> UInt64? {
            var value: UInt64 = 0
            var count = 0
            while let byte = rest.popFirst(), byte != UInt8(ascii: " "), byte != UInt8(ascii: "\n") {
                guard (0x30...0x39).contains(byte) else { return nil }
                let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, isMore) = tens.addingReportingOverflow(UInt64(byte - 0x30))
                if isTooLarge || isMore { return nil }
                value = sum
                count += 1
            }
            return count > 0 ? value : nil
        }

        /// Passes over fields of any kind; false when there are not so many.
        mutating func skip(_ count: Int) -> Bool {
            for _ in 0..<count {
                var hasAny = false
                while let byte = rest.popFirst(), byte != UInt8(ascii: " ") { hasAny = true }
                if !hasAny { return false }
            }
            return true
        }
    }

    /// Whether it is only waiting to be reaped.
    ///
    /// The state is that of its first thread, which may be a zombie while others still run.
    package var hasEnded: Bool {
        [UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x")].contains(state) && threads < 2
    }
}
