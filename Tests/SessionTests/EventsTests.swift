import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("The record of events", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct EventsTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    /// The kinds of the events of a session, in their order.
    private func events(of pid: pid_t, noticing: Bool = true) throws -> [String] {
        let lines =
            noticing
            ? try container.program(["events", "--json"]).lines
            : try Run.succeeding("cat", [(container.data / "chroot-distro/run/.events").rawValue])
                .split(separator: "\n").map(String.init)
        return lines.filter { $0.contains("\"pid\":\(pid),") }.map {
            $0.contains("\"event\":\"start\"") ? "start" : $0.contains("\"killed\":true") ? "killed" : "end"
        }
    }

    /// Starts a session and kills its supervisor, and with it the session.
    private func kill(_ script: String = "echo up; exec sleep 1000") throws -> pid_t {
        let session = try container.start(script: script)
        let pid = session.pid
        _ = try session.read(until: "up")
        // The guest may be quicker than the supervisor's note.
        let log = (container.data / "chroot-distro/run/.events").rawValue
        try Run.shell(
            "for i in $(seq 6000); do grep -sq '\"pid\":'$2, $1 && exit; sleep 0.01; done", log, "\(pid)")
        session.signal(SIGKILL)
        _ = try session.finish()
        return pid
    }

    @Test(
        "has the end of a session whose supervisor was killed, once, whoever notices",
        arguments: [
            ["events"], ["ps"], ["list"], ["kill", "bb"], ["unmount", "bb"], ["top"],
            ["login", "bb", "--", "true"],
        ])
    func killed(_ words: [String]) throws {
        let pid = try kill()
        #expect(try events(of: pid, noticing: false) == ["start"])
        _ = try container.program(words)
        if words[0] != "login", words[0] != "top" {
            #expect(try events(of: pid, noticing: false).last == "killed")
        }
        #expect(try events(of: pid) == ["start", "killed"])
        #expect(try events(of: pid) == ["start", "killed"])
        let text = try container.program(["events"])
        #expect(text.stdout.contains("as its supervisor was killed"), "\(text.stdout)")
    }

    @Test("has one end for each start, when many are killed at any moment and many look at once")
    func soak() throws {
        var pids: [pid_t] = []
        var moments = try KillingMoments { _ = try container.script("sleep 0.02") }
        var round = 0
        while moments.wantsMore(than: 30) {
            round += 1
            let session = try container.start(["login", "bb", "--", "sh", "-c", "sleep 0.0\(round % 4)"])
            pids.append(session.pid)
            moments.pass()
            session.signal(SIGKILL)
            moments.note(done: try session.finish().status == .success)
            guard round % 5 == 0 else { continue }
            let first = try container.start(["ps"])
            let second = try container.start(["events"])
            _ = try first.finish()
            _ = try second.finish()
        }
        #expect(container.leftovers().isEmpty)
        _ = try container.program(["events"])
        #expect(moments.hitBothSides)
        for pid in pids {
            let found = try events(of: pid)
            // One that was killed before it ran has neither.
            #expect(found.isEmpty || found == ["start", "killed"] || found == ["start", "end"], "\(found)")
        }
    }

    @Test("has no second end when the supervisor was killed after it had noted its own")
    func killedLate() throws {
        let session = try container.start(script: "echo up; read x")
        _ = try session.read(until: "up")
        let file = "sessions/\(session.pid).json"
        let pid = session.pid
        try Run.shell("cp $1/$2 $1/kept", container.run.rawValue, file)
        _ = try session.finish(input: Array("\n".utf8))
        // What it would have left: the record without a lock.
        try Run.shell("mv $1/kept $1/$2", container.run.rawValue, file)
        _ = try container.program(["ps"])
        #expect(try events(of: pid) == ["start", "end"])
        #expect(access((container.run / file).rawValue, F_OK) != 0)
    }

    @Test("has the end of a killed session before the start of another one with its number")
    func reused() throws {
        // The same number cannot be had at will, so the record of the killed one gets that of the next.
        let pid = try kill()
        let directory = container.data / "chroot-distro/run"
        let script = """
            mv "$1/bb/sessions/\(pid).json" "$1/bb/sessions/$$.json"
            sed -i 's/"pid":\(pid),/"pid":'$$',/' "$1/.events"
            exec "$2" login bb -- true
            """
        let next = try Running.start(
            "sh", ["-ec", script, "sh", directory.rawValue, BuiltBinary.path],
            environment: container.environment)
        let number = next.pid
        #expect(try next.finish().status == .success)
        #expect(try events(of: number) == ["start", "killed", "start", "end"])
    }

    @Test("is followed to the end of a session that is killed meanwhile, without anybody else's look")
    func followed() throws {
        let session = try container.start(script: "echo up; exec sleep 1000")
        _ = try session.read(until: "up")
        let follower = try container.start(["events", "--follow", "--json"])
        _ = try follower.read(until: "\"start\"")
        session.signal(SIGKILL)
        let said = try follower.read(until: "\"killed\":true", timeout: 10)
        #expect(said.contains("\"pid\":\(session.pid),"), "\(said)")
        follower.signal(SIGTERM)
        _ = try follower.finish()
        _ = try session.finish()
    }
}
