import Libc

/// What a process is and has used, as /proc/PID shows it.
package struct ProcessUsage: Hashable, Sendable {
    package let pid: pid_t
    /// Its real user, by number.
    package let user: uid_t
    /// What it has had of the processors, in clock ticks.
    package let ticks: Int64
    /// Clock ticks from boot to its start.
    package let startTime: UInt64
    /// Bytes of memory, shared ones divided among those that share them where the kernel counts that.
    package let memory: Int64
    package let threads: Int64
    /// The words that it was started with, or its name in brackets when it shows none.
    package let command: [String]

    /// How many ticks a second has.
    package static let ticksPerSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// `nil` when there is no such process or it has ended.
    package init?(of pid: pid_t) {
        guard let bytes = Self.read(pid, "stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")")),
            let status = ProcessStatus(parsing: bytes), !status.hasEnded
        else { return nil }
        // Fields 14, 15, 20 and 24 of proc_pid_stat(5); the first one here is the third.
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
            Int64(String(decoding: $0, as: UTF8.self)) ?? 0
        }
        guard fields.count > 21 else { return nil }
        self.pid = pid
        ticks = fields[11] + fields[12]
        threads = fields[17]
        startTime = status.startTime
        memory =
            Self.number("Pss:", in: Self.read(pid, "smaps_rollup")).map { $0 << 10 }
            ?? fields[21] * Int64(sysconf(Int32(_SC_PAGESIZE)))
        user = uid_t(Self.number("Uid:", in: Self.read(pid, "status")) ?? 0)
        let words = (Self.read(pid, "cmdline") ?? []).split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let start = bytes.firstIndex(of: UInt8(ascii: "(")) ?? end
        let name = String(decoding: bytes[start..<end].dropFirst(), as: UTF8.self)
        command = words.count > 1 ? Array(words.dropLast()) : ["[\(name)]"]
    }

    private static func read(_ pid: pid_t, _ file: String) -> [UInt8]? {
        try? FileDescriptor.open(HostPath("/proc/\(pid)/\(file)"), O_RDONLY).readAll(limit: 1 << 21)
    }

    /// The first number of the line that begins with a word.
    private static func number(_ word: String, in bytes: [UInt8]?) -> Int64? {
        guard let bytes else { return nil }
        let newline = UInt8(ascii: "\n")
        guard let line = bytes.split(separator: newline).first(where: { $0.starts(with: word.utf8) }) else {
            return nil
        }
        let digits = line.dropFirst(word.utf8.count).drop { !(0x30...0x39).contains($0) }
        return Int64(String(decoding: digits.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
}
