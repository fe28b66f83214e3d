import Libc
import Platform
import TestSupport
import Testing

@Suite("A session on a terminal", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct SessionTerminalTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    @Test(
        "has a terminal of the container's own, which its user may open again", arguments: ["root", "user"])
    func tty(_ user: String) throws {
        var terminal = try container.terminal(
            [
                "sh", "-c",
                "tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; echo again >$(tty); echo same >/dev/tty",
            ],
            options: ["--user", user])
        #expect(try terminal.finish() == .success)
        #expect(terminal.text.contains("/dev/pts/0"), "\(terminal.text)")
        for word in ["all", "again", "same"] { #expect(terminal.text.contains(word), "\(terminal.text)") }
    }

    @Test("keeps the exit status, every time")
    func status() throws {
        var wrong: [Int32] = []
        for number in 0..<Int32(200) {
            var terminal = try container.terminal(["sh", "-c", "exit \(number)"])
            let status = try terminal.finish()
            if status.code != number { wrong.append(status.code) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("shows all that was written before the end")
    func output() throws {
        for _ in 0..<5 {
            var terminal = try container.terminal([
                "sh", "-c", "stty -onlcr; dd if=/dev/zero bs=1024 count=1024 2>/dev/null; echo end",
            ])
            #expect(try terminal.finish() == .success)
            #expect(terminal.shown.filter { $0 == 0 }.count == 1 << 20)
            #expect(terminal.text.hasSuffix("end\n"))
        }
    }

    @Test("has the window's size, and follows it")
    func size() throws {
        var terminal = try container.terminal([
            "sh", "-c", "stty size; trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done",
        ])
        #expect(try terminal.wait(for: "up").contains("24 80"))
        terminal.resize(rows: 31, columns: 97)
        try terminal.wait(for: "31 97")
        #expect(try terminal.finish() == .success)
    }

    @Test("gives keys to the guest: Ctrl-C interrupts, Ctrl-D ends the input, the modes come back")
    func keys() throws {
        var terminal = try container.terminal([
            "sh", "-c", "trap 'echo caught' INT; echo up; cat; echo after",
        ])
        let before = terminal.modes
        try terminal.wait(for: "up")
        try Processes.appearance(of: "cat", inMountsOf: container.data)
        try terminal.type("\u{3}")
        #expect(try terminal.finish() == .success)
        #expect(terminal.text.contains("caught") && terminal.text.contains("after"), "\(terminal.text)")
        var second = try container.terminal(["sh", "-c", "echo up; cat; echo bye"])
        try second.wait(for: "up")
        #expect(second.modes != before)
        try second.type("typed\n\u{4}")
        try second.wait(for: "bye")
        #expect(second.text.contains("typed\r\ntyped\r\n"), "\(second.text)")
        _ = try second.finish()
    }

    @Test("has job control in an interactive shell")
    func jobControl() throws {
        var terminal = try container.terminal()
        try terminal.type("sleep 500\n")
        try Processes.appearance(of: "sleep", inMountsOf: container.data)
        try terminal.type("\u{1a}")
        try terminal.wait(for: "Stopped")
        try terminal.type("echo fr''om; jobs; echo t''o\n")
        try terminal.wait(for: "from")
        let jobs = try terminal.wait(for: "to\r\n")
        #expect(jobs.contains("Stopped") && jobs.contains("sleep 500"), "\(jobs)")
        try terminal.type("kill %1; fg; exit 4\n")
        #expect(try terminal.finish().code == 4)
        #expect(!terminal.text.contains("job control turned off"), "\(terminal.text)")
    }

    @Test("shows what is written after nobody had the terminal open for a while")
    func reopened() throws {
        var terminal = try container.terminal([
            "sh", "-c",
            "echo first; exec <&- >&- 2>&-; for i in 1 2 3; do sleep 0.2; echo again $i >/dev/pts/0; done",
        ])
        for text in ["first", "again 1", "again 2", "again 3"] { try terminal.wait(for: text, timeout: 10) }
        #expect(try terminal.finish() == .success)
    }

    @Test("shows everything on a terminal that somebody has made non-blocking", .needsProgram("perl"))
    func nonBlocking() throws {
        var terminal = try container.terminal(
            shell: """
                perl -MFcntl -e 'fcntl(STDOUT, F_SETFL, O_RDWR | O_NONBLOCK); exec @ARGV' "$1" \
                    login bb -- sh -c 'stty -onlcr; dd if=/dev/zero bs=1024 count=256 2>/dev/null; echo end'
                """)
        usleep(500_000)  // All buffers on the way are full by now.
        #expect(try terminal.finish() == .success)
        #expect(terminal.shown.filter { $0 == 0 }.count == 256 << 10)
        #expect(terminal.text.hasSuffix("end\n"))
    }

    @Test("is stopped, goes to the background and comes back like any job", .needsProgram("bash"))
    func stopped() throws {
        var terminal = try TestTerminal(
            "bash", ["--norc", "-i"],
            environment: container.environment.merging(["PS1": "host> "]) { $1 })
        try terminal.wait(for: "host> ")
        try terminal.type(
            "\(BuiltBinary.path) login bb -- sh -c 'while read x; do echo \"guest: $x\"; done'\n")
        var session = ""
        try Waiting.require("a session is open") {
            let folder = (container.run / "sessions").rawValue
            session = try Run.shell("ls \"$1\" 2>/dev/null | grep '[.]json$' || true", folder)
            return !session.isEmpty
        }
        let pid = try #require(pid_t(session.prefix { $0 != "." }))
        try terminal.type("one\n")
        try terminal.wait(for: "guest: one")
        let modes = terminal.modes
        for round in ["fg", "bg; jobs; fg", "bg; sleep 0.5; fg"] {
            kill(pid, SIGTSTP)
            try terminal.wait(for: "Stopped")
            try terminal.type("echo sh''ell\n")
            try terminal.wait(for: "shell")
            try terminal.type("\(round)\n")
            try Waiting.require("the session has the terminal") {
                terminal.foreground == pid && terminal.modes == modes
                    && ProcessStatus(of: pid)?.state != UInt8(ascii: "T")
            }
            try terminal.type("two\n")
            try terminal.wait(for: "guest: two")
        }
        try terminal.type("\u{4}")
        try terminal.wait(for: "host> ")
        try terminal.type("echo st''atus $?; exit\n")
        try terminal.wait(for: "status 0")
        _ = try terminal.finish()
    }

    @Test("leaves a piped output alone")
    func piped() throws {
        var terminal = try container.terminal(
            shell:
                "\"$1\" login bb -- sh -c 'test -t 1 && echo bad; test -t 0 && echo in; printf raw; echo err >&2' | od -c"
        )
        #expect(try terminal.finish() == .success)
        #expect(terminal.text.contains("i   n  \\n   r   a   w"), "\(terminal.text)")
        #expect(terminal.text.contains("err"))
    }

    @Test("works without a controlling terminal, and with one that belongs to another session")
    func withoutControl() throws {
        var terminal = try container.terminal(
            shell: "setsid -w \"$1\" login bb -- sh -c 'echo up; read x; echo got $x'")
        try terminal.wait(for: "up")
        try terminal.type("word\n")
        try terminal.wait(for: "got word")
        #expect(try terminal.finish() == .success)
    }

    @Test("in the background neither reads nor changes the terminal")
    func background() throws {
        var terminal = try container.terminal(
            shell:
                "set -m; \"$1\" login bb -- sh -c 'echo up; sleep 1; echo done' & wait; read x; echo got $x")
        let before = terminal.modes
        try terminal.wait(for: "up")
        #expect(terminal.modes == before)
        try terminal.type("mine\n")
        try terminal.wait(for: "got mine")
        #expect(terminal.text.contains("done"))
        #expect(try terminal.finish() == .success)
    }

    @Test("ends with its window")
    func hangUp() throws {
        var terminal = try container.terminal(["sh", "-c", "echo up; sleep 1000"])
        try terminal.wait(for: "up")
        terminal.hangUp()
        #expect(container.leftovers().isEmpty)
    }

    @Test(
        "passes signals on to the guest, with a terminal",
        arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2])
    func signals(_ signal: Int32) throws {
        var terminal = try container.terminal([
            "sh", "-c", "trap 'echo got; exit 9' \(signal); echo up; while :; do sleep 0.1; done",
        ])
        try terminal.wait(for: "up")
        kill(terminal.pid, signal)
        try terminal.wait(for: "got")
        #expect(try terminal.finish().code == 9)
    }

    @Test(
        "passes signals on to the guest, without a terminal",
        arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2])
    func signalsWithout(_ signal: Int32) throws {
        let running = try container.start(
            script: "trap 'echo got; exit 9' \(signal); echo up; while :; do sleep 0.1; done")
        _ = try running.read(until: "up")
        running.signal(signal)
        _ = try running.read(until: "got")
        #expect(try running.finish().status.code == 9)
    }

    private static let stopping = """
        trap ': >/stopped; echo stop' TSTP; trap 'echo cont' CONT; trap 'echo size' WINCH; echo up; while :; do sleep 0.1; done
        """

    @Test("stops with its guest and goes on with it, with a terminal, which it gives back meanwhile")
    func stoppedWith() throws {
        var terminal = try container.terminal(["sh", "-c", Self.stopping])
        let before = terminal.modes
        try terminal.wait(for: "up")
        #expect(terminal.modes != before)
        kill(terminal.pid, SIGTSTP)
        try Self.waitForState("T", of: terminal.pid)
        #expect(terminal.modes == before)
        // Whoever is continued forgets a stop that it has not noticed yet (signal(7)).
        let noticed = container.rootfs / "stopped"
        for _ in 0..<1000 where access(noticed.rawValue, F_OK) != 0 { usleep(10_000) }
        kill(terminal.pid, SIGCONT)
        try terminal.wait(for: "cont")
        // A shell that finds both signals at once runs its traps in the order of their numbers.
        if !terminal.text.contains("stop") { try terminal.wait(for: "stop") }
        #expect(terminal.modes != before)
        kill(terminal.pid, SIGTERM)
        #expect(try terminal.finish().code == 143)
    }

    @Test("stops with its guest and goes on with it, without a terminal")
    func stoppedWithout() throws {
        let running = try container.start(script: Self.stopping)
        _ = try running.read(until: "up")
        running.signal(SIGWINCH)
        _ = try running.read(until: "size")
        running.signal(SIGTSTP)
        _ = try running.read(until: "stop")
        try Self.waitForState("T", of: running.pid)
        running.signal(SIGCONT)
        _ = try running.read(until: "cont")
        running.signal(SIGTERM)
        #expect(try running.finish().status.code == 143)
    }

    private static func waitForState(_ state: Character, of pid: pid_t) throws {
        try Waiting.require("process \(pid) is in state \(state)") {
            ProcessStatus(of: pid)?.state == state.asciiValue
        }
    }

    @Test("reports the signal that ended the guest")
    func killedBy() throws {
        let running = try container.start(script: "echo up; exec sleep 1000")
        _ = try running.read(until: "up")
        running.signal(SIGTERM)
        #expect(try running.finish().status.code == 143)
    }
}
