import Libc
import Testing

@testable import Platform

@Suite("ProcessIdentity") struct ProcessIdentityTests {
    private func sleeper() throws -> pid_t {
        try Spawn("/bin/sh", ["-c", "exec sleep 60"], environment: Environment()).start()
    }

    @Test("fields are counted from behind the name, whatever is in it")
    func parsing() throws {
        let rest = " S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321 1000 10"
        for name in ["cat", "a b", "x) R 1 (y", ")", "(("] {
            let status = try #require(ProcessStatus(parsing: Array("42 (\(name))\(rest)".utf8)))
            #expect(
                status.state == UInt8(ascii: "S") && status.parent == 7 && status.startTime == 987_654_321)
        }
        #expect(ProcessStatus(parsing: Array("42 (cat) S 7".utf8)) == nil)
        #expect(ProcessStatus(parsing: []) == nil)
    }

    @Test("this process is alive and is itself")
    func current() throws {
        let identity = try ProcessIdentity.current()
        #expect(identity.pid == getpid() && identity.isAlive)
        #expect(try ProcessIdentity.current() == identity)
    }

    @Test("a signalled process ends, and is then no longer there", arguments: [true, false])
    func ends(pidfd: Bool) throws {
        let child = try sleeper()
        let identity = try ProcessIdentity(of: child)
        guard let handle = pidfd ? try identity.open() : ProcessHandle(withoutPidfd: identity) else {
            Issue.record("a live process was not found")
            return
        }
        let before = handle.isAlive
        let endedEarly = handle.wait(timeout: .milliseconds(30))
        try handle.signal(SIGTERM)
        let ended = handle.wait(timeout: .seconds(20))
        let after = handle.isAlive
        #expect(before && !endedEarly && ended)
        #expect(!after && !identity.isAlive, "a zombie is not alive")
        #expect(try Reaping.wait(for: child) == .killed(by: SIGTERM))
        do {
            try handle.signal(SIGTERM)
            Issue.record("a process that has ended took a signal")
        } catch { #expect(error.code == ESRCH) }
        #expect(throws: SystemError("pidfd_open", "process \(child)", code: ESRCH)) {
            _ = try ProcessIdentity(of: child)
        }
    }

    @Test("another process with the number, or another boot, is not it")
    func impostors() throws {
        let me = try ProcessIdentity.current()
        let later = ProcessIdentity(pid: me.pid, startTime: me.startTime + 1, bootID: me.bootID)
        let earlier = ProcessIdentity(pid: me.pid, startTime: me.startTime, bootID: "another")
        #expect(!later.isAlive && !earlier.isAlive)
    }

    @Test("counting threads sees a second one")
    func threads() throws {
        // The test runner has several.
        let count = try Threads.count()
        #expect(count >= 1)
        if count > 1 { #expect(throws: Threads.TooMany.self) { try Threads.requireOne() } }
    }

    @Test("a deadline counts down to nothing")
    func deadlines() {
        #expect(Deadline(after: .zero).milliseconds == 0)
        #expect(Deadline(after: .seconds(-5)).milliseconds == 0)
        #expect((9_000...10_000).contains(Deadline(after: .seconds(10)).milliseconds))
        #expect(Deadline(after: .seconds(Int64.max)).milliseconds == .max)
    }
}
