import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("A running container", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct RunningContainerTests {
    let container: TestContainer

    init() throws {
        container = try TestContainer(in: Scratch.path)
        try Run.shell("mkdir $1/one $1/two; echo 1 >$1/one/f; echo 2 >$1/two/f", Scratch.path.rawValue)
    }

    private var one: String { container.data.rawValue + "/one" }
    private var two: String { container.data.rawValue + "/two" }

    @Test("takes new binds, and refuses those that contradict one in place")
    func join() throws {
        let first = try container.start(script: "echo up; read x; cat /new/f", ["--bind", "\(one):/data"])
        _ = try first.read(until: "up")
        #expect(
            try container.login(["--bind", "\(two):/new"], "cat", "/new/f", "/data/f").stdout == "2\n1\n")
        #expect(try container.login(["--bind", "\(one):/data"], "cat", "/data/f").stdout == "1\n")
        let refused: [([String], String)] = [
            (["--bind", "\(two):/data"], "/one"), (["--bind", "\(one):/data:ro"], "rbind,ro"),
            (["--bind", "\(two):/new:ro"], "rbind,ro"), (["--bind", "\(two):/tmp"], "/tmp"),
            (["--no-shared-tmp"], "/tmp"), (["--minimal"], "minimal"),
        ]
        for (options, word) in refused {
            let outcome = try container.login(options, "true")
            #expect(outcome.status == .failure)
            #expect(outcome.stderr.contains(word), "\(options): \(outcome.stderr)")
        }
        #expect(try first.finish(input: Array("\n".utf8)).stdout == "2\n")
    }

    @Test("refuses two binds on one place, and a source that is not there")
    func conflicts() throws {
        let outcome = try container.login(["--bind", "\(one):/a", "--bind", "\(two):/a"], "true")
        #expect(outcome.status == .failure && outcome.stderr.contains("/two"), "\(outcome.stderr)")
        let missing = try container.login(["--bind", "/no/such:/a"], "true")
        #expect(missing.status == .failure && missing.stderr.contains("/no/such"), "\(missing.stderr)")
    }

    @Test("binds a single file, and a directory read-only")
    func file() throws {
        let outcome = try container.script(
            "cat /etc/one; echo new >/etc/one; echo x >/ro/f || echo refused",
            ["--bind", "\(one)/f:/etc/one", "--bind", "\(two):/ro:ro"])
        #expect(outcome.lines == ["1", "refused"], "\(outcome.stderr)")
        #expect(try Run.succeeding("cat", [one + "/f"]) == "new\n")
    }

    @Test("is entered by many at once, each with its mounts and its own status")
    func concurrency() throws {
        let script = """
            i=0; while [ $i -lt 25 ]; do
                "$1" login bb -- sh -c "test -r /proc/self/status && test -c /dev/null && exit $(((i + $2) % 200))"
                [ $? = $(((i + $2) % 200)) ] || echo "wrong $i"
                i=$((i+1))
            done
            """
        var loops: [Run.Outcome] = []
        let a = try Running.start(
            "/bin/sh", ["-c", script, "sh", BuiltBinary.path, "1"], environment: container.environment)
        let b = try Running.start(
            "/bin/sh", ["-c", script, "sh", BuiltBinary.path, "30"], environment: container.environment)
        let c = try Running.start(
            "/bin/sh", ["-c", script, "sh", BuiltBinary.path, "70"], environment: container.environment)
        let d = try Running.start(
            "/bin/sh", ["-c", script, "sh", BuiltBinary.path, "101"], environment: container.environment)
        loops.append(try a.finish())
        loops.append(try b.finish())
        loops.append(try c.finish())
        loops.append(try d.finish())
        for loop in loops {
            #expect(loop.stdout.isEmpty && loop.stderr.isEmpty, "\(loop.stdout)\(loop.stderr)")
        }
        #expect(container.leftovers().isEmpty)
    }

    @Test(
        "can be entered after anything was killed at any moment, and leaves nothing",
        arguments: ["supervisor", "holder", "guest"])
    func killed(_ who: String) throws {
        for round in 0..<15 {
            let running = try container.start(script: "echo up $$; sleep 1000")
            if round % 3 > 0 {
                _ = try running.read(until: "up")
            } else {
                usleep(UInt32.random(in: 0..<15_000))
            }
            switch who {
            case "supervisor": running.signal(SIGKILL)
            case "holder": if let holder = try container.holder() { kill(holder.pid, SIGKILL) }
            default:
                Processes.inMounts(of: container.data).filter { $0.name != "cd-holder" }.forEach {
                    kill($0.pid, SIGKILL)
                }
            }
            let next = try container.script("test -r /proc/self/status && exit 3")
            #expect(next.status.code == 3, "round \(round): \(next.stderr)")
            #expect(try container.program(["kill", "bb"]).status == .success)
            #expect(container.leftovers().isEmpty, "round \(round)")
            running.signal(SIGKILL)
            _ = try running.finish()
        }
        let records = try Run.succeeding(
            "sh", ["-c", "ls $1/sessions; \"$2\" ps -q", "sh", container.run.rawValue, BuiltBinary.path],
            environment: container.environment)
        #expect(records.split(separator: "\n").isEmpty, "\(records)")
    }

    @Test(
        "is ended by each command that ends it, while a session is open",
        arguments: ["kill", "unmount", "remove"])
    func ended(by command: String) throws {
        let running = try container.start(
            script: "trap '' TERM HUP; setsid sleep 1000 & echo up; while :; do sleep 1; done")
        _ = try running.read(until: "up")
        let outcome = try Mountinfo.unchanged { try container.program([command, "bb"]) }
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(try running.finish(timeout: 20).status.code == 137)
        #expect(container.leftovers().isEmpty)
        #expect((access(container.rootfs.rawValue, F_OK) == 0) == (command != "remove"))
    }

    @Test("is not renamed while it runs, and is afterwards")
    func rename() throws {
        let running = try container.start(script: "echo up; read x")
        _ = try running.read(until: "up")
        let refused = try container.program(["rename", "bb", "cc"])
        #expect(
            refused.status == .failure && refused.stderr.contains("running with 1 open session"),
            "\(refused.stderr)")
        _ = try running.finish(input: Array("\n".utf8))
        #expect(try container.program(["rename", "bb", "cc"]).status == .success)
        #expect(try container.program(["login", "cc", "--", "true"]).status == .success)
    }

    @Test("ends one session alone, also the one that started it")
    func oneSession() throws {
        let first = try container.start(script: "echo up; sleep 1000")
        _ = try first.read(until: "up")
        let second = try container.start(script: "echo up; read x; ls /proc/1 >/dev/null && echo alive")
        _ = try second.read(until: "up")
        let holder = try #require(try container.holder())
        #expect(try container.program(["kill", "\(first.pid)"]).status == .success)
        #expect(try first.finish(timeout: 20).status.code != 0)
        #expect(kill(holder.pid, 0) == 0)
        #expect(try second.finish(input: Array("\n".utf8)).stdout.contains("alive"))
        #expect(try container.program(["kill", "\(getpid())"]).status == .failure)
    }

    @Test("is ended although a supervisor is stopped")
    func stopped() throws {
        let running = try container.start(script: "echo up; sleep 1000")
        _ = try running.read(until: "up")
        running.signal(SIGSTOP)
        #expect(try container.program(["kill", "bb"], timeout: 20).status == .success)
        #expect(try running.finish(timeout: 10).status.code != 0)
        #expect(container.leftovers().isEmpty)
    }

    @Test("is ended although its holder is stopped")
    func stoppedHolder() throws {
        let running = try container.start(script: "echo up; sleep 1000")
        _ = try running.read(until: "up")
        kill(try #require(try container.holder()).pid, SIGSTOP)
        #expect(try container.program(["unmount", "bb"], timeout: 20).status == .success)
        _ = try running.finish(timeout: 10)
        #expect(container.leftovers().isEmpty)
    }

    private static let damages = [
        "echo garbage >holder.json", ": >holder.json", "truncate -s 20 holder.json", "rm holder.json",
        "find . -mindepth 1 -delete", "rm -rf $PWD", "sed -i 's/\"bootID\":\"[^\"]*/&x/' holder.json",
        "for f in sessions/*.json; do echo '{' >$f; done", "rm sessions/*", "rm sessions.lock",
        "echo ended >sessions.lock; touch sessions/1.json sessions/x.json sessions/-5.json sessions/99999999999.json",
        "kill -9 $holder; while readlink /proc/$holder/exe >&2; do sleep 0.01; done",
        "mkfifo f; mv f holder.json",
    ]

    /// Damages what is in a directory, and fails when all of it is as it was.
    private static func inflict(_ damage: String, on directory: HostPath) throws {
        let states = try Run.shell(
            """
            cd $1; holder=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' holder.json)
            state() {
                { find . -printf '%P %y\\n' | sort; find . -type f -exec cat {} +; readlink /proc/$holder/exe; } 2>&1 | sha256sum
            }
            state; { \(damage); }; [ ! -d $1 ] || cd $1; state
            """, directory.rawValue
        ).split(separator: "\n")
        try #require(states.count == 2 && states[0] != states[1], "nothing was damaged")
    }

    @Test("is ended whatever became of its records", arguments: damages, ["kill", "unmount", "remove"])
    func damaged(_ damage: String, _ command: String) throws {
        let running = try container.start(script: "setsid sleep 1000 & echo up; sleep 1000")
        _ = try running.read(until: "up")
        try Self.inflict(damage, on: container.run)
        let refused = try container.program(["rename", "bb", "cc"], timeout: 20)
        #expect(refused.status == .failure, "\(refused.stderr)")
        let outcome = try container.program([command, "bb"], timeout: 30)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(container.leftovers().isEmpty)
        running.signal(SIGKILL)
        _ = try running.finish()
        if command != "remove" { #expect(try container.script("exit 5").status.code == 5) }
    }

    @Test(
        "is not removed when something of the host's is mounted in it, and nothing of that is touched",
        .scratch)
    func mountInside() throws {
        let canary = container.data / "canary"
        let outcome = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c",
                "mkdir $1 $2/mnt; echo keep >$1/file; mount --bind $1 $2/mnt || exit 9; exec \"$3\" remove bb",
                "sh", canary.rawValue, container.rootfs.rawValue, BuiltBinary.path,
            ], environment: container.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("/mnt"), "\(outcome.stderr)")
        #expect(try Run.succeeding("cat", [(canary / "file").rawValue]) == "keep\n")
        #expect(try container.login([], "true").status == .success)
        #expect(try container.program(["remove", "bb"]).status == .success)
    }

    @Test("is removed with few descriptors, however deep it is", .needsProgram("prlimit"))
    func deep() throws {
        try Run.shell(
            "cd $1; i=0; while [ $i -lt 1500 ]; do mkdir d; cd ./d; i=$((i+1)); done",
            container.rootfs.rawValue)
        let outcome = try Run.program(
            "prlimit", ["--nofile=200", BuiltBinary.path, "remove", "bb"], environment: container.environment)
        #expect(outcome.status == .success, "\(outcome.stderr)")
    }

    @Test("shows the caller's home to another user as that user's own")
    func sharedHome() throws {
        let home = container.data / "home"
        try Run.shell(
            "mkdir $1; echo mine >$1/file; chown -R 12345:12346 $1; chmod 700 $1; chmod 711 ${1%/*}",
            home.rawValue)
        let outcome = try Run.program(
            BuiltBinary.path,
            [
                "login", "bb", "--user", "user", "--shared-home", "--work-dir", home.rawValue, "--", "sh",
                "-c", "pwd; stat -c %u:%g . file; cat file; echo new >made; stat -c %u made",
            ],
            environment: container.environment.merging(["HOME": home.rawValue]) { $1 })
        #expect(
            outcome.lines == ["/home/user", "1000:1000", "1000:1000", "mine", "1000"], "\(outcome.stderr)")
        #expect(try Run.succeeding("stat", ["-c", "%u:%g", (home / "made").rawValue]) == "12345:12346\n")
        #expect(
            try Run.succeeding("cat", [(container.rootfs / "etc/passwd").rawValue]).contains(
                "user:x:1000:1000"))
        let root = try Run.program(
            BuiltBinary.path, ["login", "bb", "--shared-home", "--", "sh", "-c", "pwd; stat -c %u ."],
            environment: container.environment.merging(["HOME": home.rawValue]) { $1 })
        #expect(root.lines == ["/root", "12345"], "\(root.stderr)")
    }
}
