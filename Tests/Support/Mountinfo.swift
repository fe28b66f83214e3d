import Libc
import Platform
import Testing

/// The mount tables that the kernel shows in `/proc/PID/mountinfo`.
package enum Mountinfo {
    /// The table of a process byte for byte; empty when there is no such process or it may not be read.
    package static func text(of process: String = "1") -> String {
        guard let file = try? FileDescriptor.open(HostPath("/proc/\(process)/mountinfo"), O_RDONLY),
            let bytes = try? file.readAll(limit: 64 << 20)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs `body` and expects the host's mount table to be byte for byte what it was.
    package static func unchanged<Result>(
        _ sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
    ) rethrows -> Result {
        let before = text()
        defer { #expect(settles(at: before), "the host's mounts changed", sourceLocation: sourceLocation) }
        return try body()
    }

    /// Whether the host's mount table becomes what it was; tests beside this one may mount something for a moment.
    package static func settles(at before: String) -> Bool {
        for _ in 0..<300 {
            if text() == before { return true }
            usleep(50_000)
        }
        return false
    }

    /// Where something is mounted in this process's own namespace at `path` or below it, outermost first.
    package static func targets(below path: HostPath) -> [HostPath] {
        text(of: "self").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return nil }
            let target = String(fields[4])
            let isBelow = target == path.rawValue || target.hasPrefix(path.rawValue + "/")
            return isBelow ? HostPath(target) : nil
        }
    }
}
