import Libc
import Platform
import TestSupport
import Testing

@Suite("A supervisor that waits", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct RestTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    /// Kibibytes of a process in memory (proc_pid_smaps_rollup(5)).
    ///
    /// A part of what is shared would say little where many tests run the same program at once.
    private func size(of pid: pid_t) throws -> Int {
        let text = try Run.succeeding("cat", ["/proc/\(pid)/smaps_rollup"])
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Rss:") })
        return Int(line.split(separator: " ")[1]) ?? .max
    }

    /// More before it rests, and half of it afterwards.
    private static let limit = 8192

    private func settled(_ pid: pid_t) throws -> Int {
        // Otherwise there would have been nothing to give back.
        let peak = try Run.shell("sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$1/status", "\(pid)")
        #expect((Int(peak.dropLast()) ?? 0) > Self.limit, "\(peak)")
        _ = try Waiting.until { try size(of: pid) < Self.limit }
        return try size(of: pid)
    }

    @Test("gives back the memory that only its start has needed, and goes on as before")
    func plain() throws {
        let session = try container.start(script: "echo up; read x; echo $x; exit 3")
        _ = try session.read(until: "up")
        #expect(try settled(session.pid) < Self.limit)
        let outcome = try session.finish(input: Array("on\n".utf8))
        #expect(outcome.stdout == "on\n" && outcome.status.code == 3)
    }

    @Test("on a terminal and in the background, too")
    func others() throws {
        var terminal = try container.terminal(["sh", "-c", "echo up; read x; echo got $x; exit 3"])
        _ = try terminal.wait(for: "up")
        #expect(try settled(terminal.pid) < Self.limit)
        try terminal.type("on\r")
        #expect(try terminal.finish().code == 3)
        #expect(terminal.text.contains("got on"))
        let detached = try container.login(["-d"], "sh", "-c", "sleep 1; echo late; sleep 1000")
        let pid = try #require(detached.lines.first.flatMap { pid_t($0) })
        #expect(try settled(pid) < Self.limit)
        let follower = try container.start(["logs", "-f", "bb"])
        _ = try follower.read(until: "late")
        #expect(try container.program(["kill", "bb"]).status == .success)
        _ = try follower.finish()
    }
}
