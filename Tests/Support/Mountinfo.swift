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

    /// Runs `body` and expects the host's mount table to be what it was.
    package static func unchanged<Result>(
        _ sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
    ) rethrows -> Result {
        let before = text()
        defer { #expect(settles(at: before), "the host's mounts changed", sourceLocation: sourceLocation) }
        return try body()
    }

    /// Whether no line of the host's mount table stays different from what it was.
    ///
    /// Tests beside this one mount things, too, but for a moment only.
    package static func settles(at before: String) -> Bool {
        let before = Set(before.split(separator: "\n"))
        var differences: Set<Substring>?
        return Waiting.until(within: 30) {
            let now = before.symmetricDifference(text().split(separator: "\n").map { Substring($0) })
            let lasting = differences.map { $0.intersection(now) } ?? now
            differences = lasting
            return lasting.isEmpty
        }
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
