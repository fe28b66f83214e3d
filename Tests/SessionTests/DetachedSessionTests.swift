import Libc
import Platform
import Store
import TestSupport
import Testing

@testable import Session

@Suite("A detached session", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct DetachedSessionTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    /// Starts a script in the background; the number of its session.
    private func detach(_ script: String, _ options: [String] = []) throws -> pid_t {
        let outcome = try container.program(
            ["login", "bb", "--detach"] + options + ["--", "sh", "-c", script], timeout: 20)
        try #require(outcome.status == .success, "\(outcome.stderr)")
        return try #require(pid_t(outcome.lines.first ?? ""))
    }

    private func logs(_ options: String...) throws -> [String] {
        try container.program(["logs", "bb"] + options, timeout: 30).lines
    }

    private func waitForLog(_ line: String) throws {
        try Waiting.require("\(line) is in the log") {
            try container.program(["logs", "bb"]).stdout.contains(line)
        }
    }

    /// The sockets that a supervisor has: its door, and one for each who is attached.
    private func sockets(of pid: pid_t) throws -> Int {
        try Run.shell("ls -l /proc/$1/fd", "\(pid)").split(separator: "\n").count { $0.contains("socket:[") }
    }

    /// Starts somebody who looks on, and waits until the session knows him.
    private func visitor(of pid: pid_t) throws -> Running {
        let before = try sockets(of: pid)
        let visitor = try container.start(["attach", "\(pid)"])
        try Waiting.require("somebody is attached") { try sockets(of: pid) == before + 1 }
        return visitor
    }

    /// A script that waits until the test makes a file in the container's root.
    private static func awaiting(_ file: String) -> String { "while [ ! -e /\(file) ]; do sleep 0.05; done" }

    private func touch(_ file: String) throws {
        try TestImage.write("", to: container.rootfs / file)
    }

    @Test("goes on without its caller, keeps nothing of his, and is stopped by the number that was printed")
    func goesOn() throws {
        let running = try Running.start(
            "/bin/sh",
            ["-c", "x=$(\"$1\" login -d bb -- sleep 1000); echo \"got $x\"", "sh", BuiltBinary.path],
            environment: container.environment)
        // A supervisor that kept the pipe would let this wait for ever.
        let said = try running.finish(timeout: 20).stdout
        let pid = try #require(pid_t(said.dropFirst(4).dropLast()))
        #expect(try Run.succeeding("readlink", ["/proc/\(pid)/cwd"]) == "/\n")
        let descriptors = try Run.succeeding("ls", ["-l", "/proc/\(pid)/fd"])
        #expect(
            descriptors.contains("0 -> /dev/null") && descriptors.contains("2 -> /dev/null"), "\(descriptors)"
        )
        let listed = try container.program(["ps"])
        #expect(listed.stdout.contains("\(pid)"), "\(listed.stdout)")
        #expect(try container.program(["kill", "\(pid)"]).status == .success)
        #expect(container.leftovers().isEmpty)
        #expect(try Run.succeeding("ls", [(container.run / "sessions").rawValue]).isEmpty)
    }

    @Test("says before the prompt returns why it cannot start, and leaves nothing")
    func cannotStart() throws {
        for (command, status) in [("/no/such", 127), ("/etc/passwd", 126)] as [(String, Int32)] {
            let outcome = try container.program(["run", "-d", "bb", "--entrypoint", command])
            #expect(outcome.status.code == status, "\(outcome.stderr)")
            #expect(outcome.stderr.contains(command) && outcome.stdout.isEmpty)
        }
        let user = try container.program(["login", "-d", "bb", "--user", "nobody-here", "--", "true"])
        #expect(user.status == .failure && user.stderr.contains("nobody-here"))
        #expect(container.leftovers().isEmpty)
    }

    @Test("writes what it says to a log that outlives it")
    func log() throws {
        _ = try detach("test -t 1 && echo terminal; cat; echo one; echo two >&2; printf three")
        #expect(container.leftovers().isEmpty)
        #expect(try logs() == ["one", "two", "three"])
        #expect(try logs("-n", "2") == ["two", "three"])
        #expect(try logs("-n", "0") == [])
        _ = try detach("echo; echo four")
        #expect(container.leftovers().isEmpty)
        #expect(try logs() == ["one", "two", "three", "four"])
    }

    @Test("keeps its log small, and loses nothing that is followed")
    func rotation() throws {
        var environment = container.environment
        environment["CD_LOG_SIZE"] = "64K"
        let script = """
            i=0; while [ $i -lt 20000 ]; do
                echo "line $i"; i=$((i+1)); [ $((i % 4000)) != 0 ] || \(Self.awaiting("read-$i"))
            done; echo end
            """
        let started = try Run.program(
            BuiltBinary.path, ["login", "-d", "bb", "--", "sh", "-c", script], environment: environment)
        #expect(started.status == .success, "\(started.stderr)")
        // Nothing is written that would start another file before what is there has been followed.
        let follower = try container.start(["logs", "--follow", "bb"])
        var followed = ""
        for number in stride(from: 4000, through: 20000, by: 4000) {
            followed += try follower.read(until: "line \(number - 1)\n")
            try touch("read-\(number)")
        }
        followed += try follower.finish().stdout
        let expected = (0..<20000).map { "line \($0)" } + ["end"]
        #expect(followed.split(separator: "\n").map(String.init) == expected)
        let sizes = try Run.shell(
            "stat -c %s $1/output.log $1/output.log.1", container.rootfs.parent.rawValue)
        for size in sizes.split(separator: "\n") { #expect((Int(size) ?? .max) <= 65536) }
        let numbers = try logs().compactMap { $0.hasPrefix("line ") ? Int($0.dropFirst(5)) : nil }
        #expect(numbers.last == 19999)
        // What is left is the end, without a hole.
        #expect(numbers.count > 1000 && numbers.last.map { $0 - numbers.count + 1 } == numbers.first)
    }

    @Test("is followed until its end")
    func follow() throws {
        _ = try detach("for i in 1 2 3; do echo $i; sleep 0.3; done")
        #expect(try logs("-f") == ["1", "2", "3"])
        #expect(container.leftovers().isEmpty)
    }

    @Test("ends with its command, although what is left writes for ever")
    func endlessOutput() throws {
        _ = try detach(
            "for i in 1 2 3 4 5 6; do (trap '' HUP; exec yes) & done 2>/dev/null; sleep 0.2; exit 4")
        #expect(container.leftovers().isEmpty)
    }

    @Test("goes on when the disk has no room for its log")
    func fullDisk() throws {
        let outcome = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-ec",
                """
                mkdir $2/small; mount -t tmpfs -o size=8m none $2/small; cp -a $2/chroot-distro $2/small
                export XDG_DATA_HOME=$2/small; root=$2/small/chroot-distro/containers/bb/rootfs
                "$1" login -d bb -- sh -c 'dd if=/dev/zero bs=1M count=16 2>/dev/null; >/went-on; sleep 1006'
                for i in $(seq 100); do [ ! -e $root/went-on ] || break; sleep 0.1; done
                ls $root/went-on; stat -f -c 'free: %a' $root; "$1" ps -q; "$1" kill bb
                """, "sh", BuiltBinary.path, container.data.rawValue,
            ], environment: container.environment)
        #expect(
            outcome.stdout.contains("rootfs/went-on\nfree: 0\nbb\n"), "\(outcome.stdout)\(outcome.stderr)")
    }

    @Test("does not follow a link in the place of its log")
    func linkedLog() throws {
        try Run.shell("ln -s /dev/full $1/output.log", container.rootfs.parent.rawValue)
        let refused = try container.program(["login", "-d", "bb", "--", "true"])
        #expect(refused.status == .failure, "\(refused.stdout)")
        #expect(container.leftovers().isEmpty)
    }

    // MARK: - Attaching

    @Test("has its terminal shown and typed into by whoever attaches, and goes on when he leaves")
    func attach() throws {
        let pid = try detach(
            "stty size; while read x; do echo \"got $x\"; stty size; done; exit 6", ["--tty"])
        try waitForLog("24 80")
        var first = try TestTerminal(
            BuiltBinary.path, ["attach", "bb"], environment: container.environment, rows: 31, columns: 97)
        try first.wait(for: "24 80")
        try first.type("word\n")
        try first.wait(for: "got word")
        try first.wait(for: "31 97")
        try first.type("\u{10}\u{11}")
        try first.wait(for: "goes on")
        #expect(try first.finish() == .success)
        #expect(kill(pid, 0) == 0)
        var second = try TestTerminal(
            BuiltBinary.path, ["attach", "\(pid)"], environment: container.environment)
        // The end of what was shown before.
        try second.wait(for: "got word")
        try second.type("\u{4}")
        #expect(try second.finish().code == 6)
        #expect(container.leftovers().isEmpty)
    }

    @Test("is a login shell when no command is given")
    func shell() throws {
        let outcome = try container.program(["login", "-d", "bb"])
        #expect(outcome.status == .success, "\(outcome.stderr)")
        var terminal = try TestTerminal(
            BuiltBinary.path, ["attach", "bb"], environment: container.environment)
        try terminal.type("tty; echo $0; exit 3\n")
        #expect(try terminal.finish().code == 3)
        #expect(terminal.text.contains("/dev/pts/0") && terminal.text.contains("-sh"), "\(terminal.text)")
        #expect(container.leftovers().isEmpty)
    }

    @Test("shows several what it writes, also without a terminal, and tells them how it ended")
    func watch() throws {
        let pid = try detach("\(Self.awaiting("go")); echo seen; exit 9")
        let first = try visitor(of: pid)
        let second = try visitor(of: pid)
        try touch("go")
        for outcome in [try first.finish(timeout: 20), try second.finish(timeout: 20)] {
            #expect(outcome.status.code == 9 && outcome.stdout == "seen\n", "\(outcome.stderr)")
        }
    }

    @Test("is not held up by somebody who is attached and does not read")
    func stuckVisitor() throws {
        let pid = try detach(
            "\(Self.awaiting("go")); dd if=/dev/zero bs=1M count=16 2>/dev/null | tr '\\0' x; echo end")
        let visitor = try visitor(of: pid)
        let visitorsPID = visitor.pid
        visitor.signal(SIGSTOP)
        try Waiting.require("the visitor stands still") {
            ProcessStatus(of: visitorsPID)?.state == UInt8(ascii: "T")
        }
        try touch("go")
        #expect(container.leftovers().isEmpty)
        #expect(ProcessStatus(of: visitorsPID)?.state == UInt8(ascii: "T"))
        #expect(try container.program(["logs", "bb", "-n", "1"]).stdout.hasSuffix("xend\n"))
        visitor.signal(SIGKILL)
        _ = try visitor.finish()
    }

    @Test("tells those who are attached when it is killed")
    func killed() throws {
        let pid = try detach("sleep 1000")
        let visitor = try visitor(of: pid)
        kill(pid, SIGKILL)
        let outcome = try visitor.finish(timeout: 20)
        #expect(outcome.status == .failure && outcome.stderr.contains("by force"), "\(outcome.stderr)")
        #expect(container.leftovers().isEmpty)
    }

    @Test("is the only kind that can be attached to")
    func notDetached() throws {
        let running = try container.start(script: "echo up; read x")
        _ = try running.read(until: "up")
        for word in ["bb", "\(running.pid)"] {
            let outcome = try container.program(["attach", word])
            #expect(outcome.status == .failure && outcome.stderr.contains("no detached session"))
        }
        _ = try running.finish(input: Array("\n".utf8))
    }

    // MARK: - Starting again

    @Test("is started again as it was, after a rename and from another directory")
    func startAgain() throws {
        try Run.shell("mkdir $1/shared; echo content >$1/shared/f", container.data.rawValue)
        let first = try Run.program(
            BuiltBinary.path,
            [
                "login", "bb", "-d", "--bind", "shared:/s", "--env", "X=a b", "--", "sh", "-c",
                "cat /s/f; echo \"$X $1\"; sleep 1000", "sh", "\u{e9} \" '",
            ],
            environment: container.environment.merging(["CD_USER": "user"]) { $1 }, directory: container.data)
        try #require(first.status == .success, "\(first.stderr)")
        try waitForLog("a b \u{e9} \" '")
        #expect(try container.program(["stop", "bb"]).status == .success)
        #expect(try container.program(["rename", "bb", "cc"]).status == .success)
        let again = try container.program(["start", "cc"])
        #expect(again.status == .success, "\(again.stderr)")
        let user = try container.program(["exec", "cc", "--", "ps", "-o", "user,args"])
        #expect(user.lines.contains { $0.hasPrefix("user") && $0.contains("sleep 1000") }, "\(user.stdout)")
        let repeated = try container.program(["start", "cc"])
        #expect(repeated.status == .success && repeated.stdout.isEmpty)
        let restarted = try container.program(["restart", "--time", "5", "cc"])
        #expect(restarted.status == .success && restarted.stdout != again.stdout, "\(restarted.stderr)")
        let lines = try container.program(["logs", "cc"]).lines
        #expect(lines.filter { $0 == "content" }.count == 3, "\(lines)")
        #expect(try container.program(["kill", "cc"]).status == .success)
        #expect(container.leftovers().isEmpty)
    }

    @Test("is started again with the home of who started it first, whoever starts it now")
    func sharedHome() throws {
        func run(as person: String, _ words: String...) throws -> Run.Outcome {
            let home = ["HOME": (container.data / person).rawValue]
            return try Run.program(
                BuiltBinary.path, words, environment: container.environment.merging(home) { $1 })
        }
        for person in ["ann", "bob"] {
            try Run.shell("mkdir $1/$2; echo $2 >$1/$2/whose", container.data.rawValue, person)
        }
        let script = "cat /root/whose; sleep 1000"
        let first = try run(as: "ann", "login", "-d", "bb", "--shared-home", "--", "sh", "-c", script)
        try #require(first.status == .success, "\(first.stderr)")
        try waitForLog("ann")
        #expect(try container.program(["stop", "bb"]).status == .success)
        let again = try run(as: "bob", "start", "bb")
        #expect(again.status == .success, "\(again.stderr)")
        try waitForLog("ann\nann\n")
        #expect(try container.program(["kill", "bb"]).status == .success)
    }

    @Test("is not started from another directory than it was")
    func lostDirectory() throws {
        let outcome = try Run.program(
            "/bin/sh",
            [
                "-c",
                """
                mkdir "$2/gone"; cd "$2/gone"; "$1" login -d bb -- sleep 1000; "$1" kill bb; cd /; rmdir "$2/gone"
                "$1" start bb; echo "start: $?"; mkdir "$2/gone"; "$1" start bb; echo "start: $?"; "$1" kill bb
                """, "sh", BuiltBinary.path, container.data.rawValue,
            ], environment: container.environment)
        #expect(outcome.stdout.contains("start: 1\n"), "\(outcome.stdout)")
        #expect(outcome.stdout.contains("start: 0\n"), "\(outcome.stdout)")
        #expect(outcome.stderr.contains("/gone (No such file"), "\(outcome.stderr)")
        #expect(container.leftovers().isEmpty)
    }

    @Test("is not remembered when there never was one")
    func nothing() throws {
        for command in ["start", "restart"] {
            let outcome = try container.program([command, "bb"])
            #expect(
                outcome.status == .failure && outcome.stderr.contains("run --detach bb"), "\(outcome.stderr)")
        }
        try Run.shell("echo '{' >$1/detached.json", container.rootfs.parent.rawValue)
        #expect(try container.program(["start", "bb"]).status == .failure)
    }
}

@Suite("The log of detached sessions", .scratch)
struct OutputLogTests {
    @Test("is shared by two that write, whoever starts the new file")
    func twoWriters() throws {
        let directory = try Directory.open(Scratch.path)
        var first = try OutputLog(in: directory.duplicate(), limit: 10)
        var second = try OutputLog(in: directory.duplicate(), limit: 10)
        for word in ["aaaa", "bbbb", "cccc", "dddd"] {
            first.write(Array(word.utf8)[...])
            second.write(Array(word.uppercased().utf8)[...])
        }
        let old = try directory.readFile(OutputLog.older, limit: 100)
        let new = try directory.readFile(OutputLog.name, limit: 100)
        #expect(String(decoding: old + new, as: UTF8.self) == "ccccCCCCddddDDDD")
    }

    @Test(
        "gives its last lines",
        arguments: [
            (1, "c\n"), (2, "b\nc\n"), (3, "a\nb\nc\n"), (9, "a\nb\nc\n"), (0, ""),
        ])
    func lastLines(_ count: Int, _ expected: String) {
        #expect(OutputReader.lastLines(count, of: Array("a\nb\nc\n".utf8)) == Array(expected.utf8)[...])
    }

    @Test("gives an unfinished last line, too")
    func unfinished() {
        #expect(OutputReader.lastLines(1, of: Array("a\nb".utf8)) == Array("b".utf8)[...])
        #expect(OutputReader.lastLines(5, of: []).isEmpty)
    }
}

@Suite("What attached terminals send")
struct AttachFrameTests {
    @Test("arrives whole, in whatever pieces")
    func pieces() throws {
        let sent =
            AttachFrame.all(.output, Array(repeating: 7, count: 70000)[...])
            + AttachFrame.window(rows: 300, columns: 5).bytes
        var arrived: [UInt8] = []
        var content = 0
        var window: (UInt16, UInt16)?
        for byte in sent {
            arrived.append(byte)
            while let frame = try AttachFrame.take(from: &arrived) {
                if frame.kind == .output { content += frame.content.count }
                window = frame.window
            }
        }
        #expect(content == 70000 && arrived.isEmpty)
        #expect(window?.0 == 300 && window?.1 == 5)
    }

    @Test("is refused when it is nonsense", arguments: [[0, 0, 0], [0x6f, 255, 255]] as [[UInt8]])
    func nonsense(_ bytes: [UInt8]) {
        var bytes = bytes
        #expect(throws: AttachFrame.Nonsense.self) { _ = try AttachFrame.take(from: &bytes) }
    }

    @Test(
        "passes keys on unless they are the whole sequence",
        arguments: [
            ("ab", "ab", false), ("\u{10}", "", false), ("\u{10}a", "\u{10}a", false),
            ("\u{10}\u{10}\u{11}", "\u{10}", true), ("x\u{10}\u{11}y", "x", true),
            ("\u{11}", "\u{11}", false),
        ])
    func keys(_ typed: String, _ passed: String, _ isComplete: Bool) {
        var whole = KeySequence([0x10, 0x11])
        let result = whole.take(Array(typed.utf8)[...])
        #expect(result.typed == Array(passed.utf8) && result.isComplete == isComplete)
        var pieces = KeySequence([0x10, 0x11])
        var collected: [UInt8] = []
        for byte in typed.utf8 {
            let (some, ended) = pieces.take([byte])
            collected += some
            if ended { break }
        }
        #expect(collected == Array(passed.utf8))
    }

    @Test("without keys passes everything on")
    func noKeys() {
        var none = KeySequence([])
        #expect(none.take([0x10, 0x11]).typed == [0x10, 0x11])
    }
}

@Suite("A remembered command")
struct DetachedCommandTests {
    @Test("comes back byte for byte", .scratch)
    func bytes() throws {
        let directory = try Directory.open(Scratch.path)
        let odd = try #require(RawString(bytes: [0xff, 0x20, 0x80]))
        let command = DetachedCommand(
            command: "run",
            flags: [.init(name: "env", value: .init(odd)), .init(name: "minimal", value: nil)],
            words: [odd, "", "a b"], directory: "/x", environment: ["CD_USER=me"])
        try command.save(in: directory)
        #expect(DetachedCommand.saved(in: directory) == command)
        #expect(
            command.arguments(for: "box") == [
                try #require(RawString(bytes: Array("--env=".utf8) + odd.bytes)), "--minimal", "box", "--",
                odd,
                "", "a b",
            ])
    }
}
