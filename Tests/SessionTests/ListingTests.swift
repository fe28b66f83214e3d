import Libc
import Platform
import TestSupport
import Testing

@Suite("top, stats, ports and events", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct ListingTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    @Test("show what runs in a container, and nothing of the host")
    func processes() throws {
        let session = try container.start(script: "sleep 4321 & echo up; while :; do :; done")
        _ = try session.read(until: "up")
        let top = try container.program(["top", "bb"])
        #expect(top.stdout.contains("sleep 4321") && !top.stdout.contains("holder"), "\(top.stdout)")
        #expect(top.lines.count == 3, "\(top.stdout)")
        let words = try container.program(["top", "--json"]).stdout
        for key in ["\"processes\"", "\"cpu\"", "\"memory\"", "\"threads\"", "\"time\""] {
            #expect(words.contains(key), "\(words)")
        }
        let stats = try container.program(["stats", "--no-stream"])
        let fields = (stats.lines.last ?? "").split(separator: " ")
        #expect(fields.first == "bb" && fields.suffix(2) == ["2", "1"], "\(stats.stdout)")
        // It turns round and round, on a machine that others use too.
        #expect((fields.dropFirst().first.flatMap { Double($0) } ?? 0) > 5, "\(stats.stdout)")
        #expect(try container.program(["stats", "--json"]).stdout.contains("\"containers\""))
        #expect(try container.program(["top", "nowhere"]).status == .failure)
        #expect(try container.program(["kill", "bb"]).status == .success)
        _ = try session.finish()
        #expect(try container.program(["top", "-q"]).stdout.isEmpty)
        #expect(try container.program(["stats", "-q"]).stdout.isEmpty)
    }

    @Test("show where a container listens", .needsProgram("python3"))
    func ports() throws {
        try Run.shell("ln -sf busybox $1/bin/httpd", container.rootfs.rawValue)
        let free = try Run.succeeding(
            "python3",
            ["-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"])
        let port = String(free.dropLast())
        let session = try container.start(
            script:
                "httpd -p 127.0.0.1:\(port); echo up; read x")
        _ = try session.read(until: "up")
        usleep(300_000)
        let ports = try container.program(["ports"])
        #expect(ports.lines.contains { $0.contains("tcp") && $0.contains("127.0.0.1") && $0.contains(port) })
        // The host's own sockets are not the container's.
        #expect(ports.lines.count == 2, "\(ports.stdout)")
        #expect(try container.program(["ports", "bb", "--json"]).stdout.contains("\"port\" : \(port)"))
        #expect(try container.program(["kill", "bb"]).status == .success)
        _ = try session.finish()
        #expect(try container.program(["ports", "-q"]).stdout.isEmpty)
    }

    @Test("tell of each start and each end")
    func events() throws {
        let follower = try container.start(["events", "--follow", "--json"])
        usleep(300_000)
        #expect(try container.script("exit 7", ["--user", "user"]).status.code == 7)
        let shown = try follower.read(until: "\"event\":\"end\"")
        follower.signal(SIGINT)
        _ = try follower.finish()
        #expect(shown.contains("\"event\":\"start\"") && shown.contains("\"user\":\"user\""), "\(shown)")
        let listed = try container.program(["events"])
        #expect(
            listed.lines.count == 2 && listed.lines.last?.hasSuffix("with status 7") == true,
            "\(listed.stdout)")
        #expect(try container.program(["events", "-n", "1"]).lines.count == 1)
        try Run.shell("printf '{\"half' >>$1/../.events", container.run.rawValue)
        #expect(try container.program(["events"]).lines.count == 2)
    }

    @Test("print nothing that a terminal would obey", arguments: [[], ["--json"]])
    func hostileEvents(_ options: [String]) throws {
        let hostile = "a\u{9b}31m\u{202e}\u{61c}\u{7f}b"
        #expect(try container.login([], "echo", hostile).status == .success)
        let shown = try container.program(["events"] + options).stdout
        #expect(!shown.unicodeScalars.contains { $0.misleadsTerminals && $0 != "\n" })
        #expect(shown.contains(options.isEmpty ? "\\u{61c}" : "\\u061c"), "\(shown)")
    }

    @Test("are written by every session, whoever has locked what he may read of them")
    func lockedEvents() throws {
        let run = container.run.parent
        try Run.shell("mkdir -p $1; yes '' | head -c 1048576 >$1/.events", run.rawValue)
        let file = try Directory.open(run).openFile(".events", O_RDONLY)
        #expect(flock(file.rawValue, LOCK_SH) == 0)
        #expect(try container.script("exit 4", timeout: 20).status.code == 4)
        #expect(access((run / ".events.1").rawValue, F_OK) == 0)
        #expect(try container.program(["events"]).lines.count == 2)
        // What is locked in its place is for nobody else.
        #expect(try Directory.open(run).status(".events.turn").permissions == 0o600)
    }

    @Test("leave alone a container that has their name")
    func namesake() throws {
        let other = try TestContainer(in: Scratch.path, name: "events")
        for _ in 0..<2 {
            let outcome = try other.login([], "echo", "in")
            #expect(outcome.stdout == "in\n", "\(outcome.stderr)")
        }
        #expect(try other.program(["events"]).lines.count == 4)
    }
}
