import Libc
import Platform
import TestSupport
import Testing

@testable import Session

@Suite("Processes by number and start time")
struct ProcessTableTests {
    private static func seen(_ parent: pid_t, start: UInt64) throws -> ProcessStatus {
        let text = "1 (x) S \(parent) 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 \(start) 1000 10"
        return try #require(ProcessStatus(parsing: Array(text.utf8)))
    }

    @Test("another process with the number is not the one that was seen, and gets no signal")
    func reuse() throws {
        let child = try Running.start("sleep", ["60"])
        let now = try #require(ProcessStatus(of: child.pid))
        let right = ProcessTable([child.pid: now])
        let wrong = ProcessTable([child.pid: try Self.seen(now.parent, start: now.startTime - 1)])
        let held = HeldProcesses([child.pid], isStill: right.isStill)
        let none = HeldProcesses([child.pid], isStill: wrong.isStill)
        let (heldCount, noneCount) = (held.count, none.count)
        #expect(heldCount == 1 && noneCount == 0)
        let pid = child.pid
        child.signal(SIGKILL)
        _ = try child.finish()
        #expect(!right.isStill(pid))
    }

    @Test("descendants are found through all generations, and nobody else")
    func descendants() throws {
        let table = ProcessTable([
            10: try Self.seen(1, start: 1), 11: try Self.seen(10, start: 2), 12: try Self.seen(11, start: 3),
            20: try Self.seen(1, start: 1), 21: try Self.seen(20, start: 2),
        ])
        #expect(table.descendants(of: [10]).sorted() == [11, 12])
        #expect(table.descendants(of: [12, 20]).sorted() == [21])
        #expect(table.descendants(of: [10, 20], except: 11).sorted() == [21])
    }
}

@Suite(
    "A process whose first thread has ended", .needsRoot, .needsFile("/bin/busybox"), .needsProgram("cc"),
    .scratch)
struct LeaderlessProcessTests {
    @Test("keeps its container running, and is ended with it")
    func killed() throws {
        let container = try TestContainer(in: Scratch.path)
        let name = "cdl-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        let source = Scratch.path / "leader.c"
        try TestImage.write(
            """
            #include <pthread.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static void *stay(void *nothing) { for (;;) sleep(1000); return nothing; }
            int main(void) {
                pthread_t thread;
                if (pthread_create(&thread, 0, stay, 0)) return 1;
                syscall(SYS_exit, 0);
            }
            """, to: source)
        try Run.succeeding(
            "cc",
            ["-static", "-pthread", source.rawValue, "-o", (container.rootfs / name).rawValue])
        let running = try container.start(script: "/\(name) <&- >&- 2>&- & read x")
        try Waiting.require("the first thread has ended") {
            Processes.all().contains {
                $0.name == name && ProcessStatus(of: $0.pid)?.state == UInt8(ascii: "Z")
            }
        }
        let outcome = try running.finish(input: Array("\n".utf8))
        #expect(outcome.stderr.contains("1 process still runs"), "\(outcome.stderr)")
        // One that has ended may wait for its new parent to take notice.
        func left() -> [Processes] {
            Processes.all().filter {
                $0.name == name && ProcessStatus(of: $0.pid)?.hasEnded == false
            }
        }
        #expect(left().count == 1)
        #expect(try container.program(["kill", "bb"]).status == .success)
        #expect(left().isEmpty)
        #expect(container.leftovers().isEmpty)
        left().forEach { kill($0.pid, SIGKILL) }
    }
}
