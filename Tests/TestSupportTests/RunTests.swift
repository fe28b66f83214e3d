import Libc
import Platform
import TestSupport
import Testing

@Suite("Run")
struct RunTests {
    @Test("keeps output, complaints and status apart")
    func outcome() throws {
        let outcome = try Run.program("sh", ["-c", "cat; echo oops >&2; exit 7"], input: Array("hello".utf8))
        #expect(outcome.stdout == "hello")
        #expect(outcome.stderr == "oops\n")
        #expect(outcome.status == ExitStatus(code: 7))
    }

    @Test("says which signal ended a program")
    func signal() throws {
        #expect(try Run.program("sh", ["-c", "kill -TERM $$"]).status == .killed(by: SIGTERM))
    }

    @Test("passes megabytes through a program that answers while it reads")
    func much() throws {
        let bytes = [UInt8](repeating: 0x61, count: 3_000_000)
        #expect(try Run.program("cat", input: bytes).output == bytes)
    }

    @Test("gives a program no variables but the named ones")
    func environment() throws {
        #expect(try Run.program("env", environment: ["A": "b"]).lines == ["A=b"])
    }

    @Test("kills a program that takes too long")
    func timeout() throws {
        let length = "61.\(UInt32.random(in: 0 ... .max))"
        #expect(throws: Run.Failure.self) { try Run.program("sleep", [length], timeout: 0.2) }
        #expect(Processes.withCommand("sleep", length).isEmpty)
    }

    @Test("starts in the directory that is asked for")
    func directory() throws {
        #expect(try Run.program("pwd", directory: "/usr").lines == ["/usr"])
    }
}

@Suite("Terminal")
struct TerminalTests {
    @Test("is a program's controlling terminal, with a size that can change")
    func size() throws {
        var terminal = try TestTerminal("sh", rows: 10, columns: 33)
        try terminal.type("tty; stty size </dev/tty\n")
        try terminal.wait(for: "10 33\r\n")
        terminal.resize(rows: 50, columns: 100)
        try terminal.type("stty size\n")
        try terminal.wait(for: "50 100\r\n")
        try terminal.type("exit 3\n")
        #expect(try terminal.finish() == ExitStatus(code: 3))
        #expect(terminal.text.contains("/dev/pts/"))
    }

    @Test("turns Ctrl-C into a signal")
    func interrupt() throws {
        var terminal = try TestTerminal("sh", ["-c", "echo ready; exec sleep 62"])
        try terminal.wait(for: "ready")
        try terminal.type("\u{3}")
        #expect(try terminal.finish() == .killed(by: SIGINT))
    }

    @Test("hangs up")
    func hangUp() throws {
        var terminal = try TestTerminal("sh", ["-c", "echo ready; exec sleep 63"])
        try terminal.wait(for: "ready")
        terminal.hangUp()
        #expect(try terminal.finish() == .killed(by: SIGHUP))
    }
}
