import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("A session", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct SessionLifecycleTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    @Test(
        "ends with the status of its command",
        arguments: [
            ("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143),
            ("exec /nowhere", 127), ("touch /x; exec /x", 126),
        ] as [(String, Int32)])
    func status(of script: String, is expected: Int32) throws {
        let outcome = try container.script(script)
        #expect(outcome.status.code == expected, "\(outcome.stderr)")
    }

    @Test("says 127 for a program that is not there and 126 for one that cannot be executed")
    func notExecutable() throws {
        #expect(try container.login([], "/no/such").status == .notFound)
        #expect(try container.login([], "no-such-word").status == .notFound)
        #expect(try container.login([], "/etc/passwd").status == .notExecutable)
    }

    @Test("passes words on unchanged, and standard input through")
    func words() throws {
        let words = ["a b", "", "$HOME; id", "'\"\\", "\u{e9}\n"]
        let outcome = try container.program(
            ["login", "bb", "--", "sh", "-c", "for w; do printf '<%s>' \"$w\"; done; cat", "sh"] + words,
            input: Array("from outside".utf8))
        #expect(outcome.stdout == words.map { "<\($0)>" }.joined() + "from outside")
    }

    @Test("sees its own root, and its mounts once")
    func mounts() throws {
        let outcome = try container.script(
            "cat /proc/self/mountinfo; ls /proc/1 >/dev/null && ls /sys/kernel >/dev/null")
        #expect(outcome.status == .success)
        let targets = outcome.lines.map { String($0.split(separator: " ")[4]) }
        for path in ["/", "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/run", "/tmp"] {
            #expect(targets.filter { $0 == path }.count == 1, "\(path) in \(targets)")
        }
    }

    @Test("does not see its own mounts again through a bind that holds the store")
    func storeBelowBind() throws {
        let outcome = try container.script(
            "grep -c bb/rootfs /proc/self/mountinfo; ls /all/chroot-distro/containers/bb/rootfs/proc",
            ["--bind", "\(container.data.rawValue):/all"])
        #expect(outcome.lines == ["1"], "\(outcome.stdout)\(outcome.stderr)")
    }

    @Test("leaves the host's mounts and no process, mount or record behind")
    func nothingLeft() throws {
        try Mountinfo.unchanged {
            let running = try container.start(script: "echo up; read x")
            _ = try running.read(until: "up")
            #expect(Processes.inMounts(of: container.data).isEmpty == false)
            try running.send("\n")
            #expect(try running.finish().status == .success)
            #expect(container.leftovers().isEmpty)
        }
        let sessions = try Run.succeeding("ls", [(container.run / "sessions").rawValue])
        #expect(sessions.isEmpty)
    }

    @Test("does not change the host's mounts while it runs")
    func mountsDuring() throws {
        let before = Mountinfo.text()
        let running = try container.start(
            script:
                "mount -t tmpfs none /mnt 2>/dev/null; mkdir -p /m; mount -t tmpfs none /m; echo up; read x")
        _ = try running.read(until: "up")
        #expect(Mountinfo.settles(at: before))
        _ = try running.finish(input: Array("\n".utf8))
    }

    @Test("gives neither the holder nor the guest anything of its caller's")
    func nothingOfTheCaller() throws {
        let running = try Running.start(
            "/bin/sh",
            [
                "-c",
                "exec 7</etc/passwd 9</; exec \"$1\" login bb -- sh -c 'ls -l /proc/self/fd; echo up; read x' secret-word",
                "sh", BuiltBinary.path,
            ],
            environment: container.environment.merging(["SECRET_VALUE": "s3cret"]) { $1 },
            directory: "/usr/share")
        let shown = try running.read(until: "up")
        #expect(!shown.contains("/etc/passwd"))
        #expect(!shown.contains(" 7 ->") && !shown.contains(" 9 ->"), "\(shown)")
        let holder = try #require(try container.holder())
        let environ = try Run.succeeding("cat", ["/proc/\(holder.pid)/environ"])
        let command = try Run.succeeding("cat", ["/proc/\(holder.pid)/cmdline"])
        #expect(!environ.contains("s3cret") && !environ.contains("XDG"), "\(environ)")
        #expect(command.contains("holder of bb") && !command.contains("secret-word"), "\(command)")
        #expect(try Run.succeeding("readlink", ["/proc/\(holder.pid)/cwd"]) == "/\n")
        let descriptors = try Run.succeeding("ls", ["-l", "/proc/\(holder.pid)/fd"])
        let targets = descriptors.split(separator: "\n").compactMap {
            $0.contains("->") ? $0.split(separator: ">").last : nil
        }
        #expect(targets.count <= 6, "\(descriptors)")
        for target in targets {
            let isKnown = ["/dev/null", "/sessions.lock", "/proc", "/", "mnt:", "/cgroup", "/unified"]
                .contains {
                    target.hasSuffix($0) || target.contains("mnt:[")
                }
            #expect(isKnown, "\(target)")
        }
        _ = try running.finish(input: Array("\n".utf8))
    }

    @Test("has no capability that its caller would have it inherit", .needsProgram("setpriv"))
    func inheritable() throws {
        let outcome = try Run.program(
            "setpriv",
            [
                "--inh-caps", "+sys_module,+sys_boot", "--ambient-caps", "+sys_module", BuiltBinary.path,
                "login", "bb", "--", "grep", "Cap", "/proc/self/status",
            ], environment: container.environment)
        let sets = outcome.lines.map { $0.split(separator: "\t").map(String.init) }
        #expect(sets.contains(["CapInh:", "0000000000000000"]), "\(outcome.stdout)\(outcome.stderr)")
        #expect(sets.contains(["CapAmb:", "0000000000000000"]))
        let effective = try #require(sets.first { $0[0] == "CapEff:" }.flatMap { UInt64($0[1], radix: 16) })
        #expect(effective & (1 << 16 | 1 << 22) == 0 && effective != 0)
    }

    @Test("starts with closed standard descriptors, and nothing takes their place", arguments: 0..<8)
    func closedDescriptors(_ closed: Int) throws {
        let ends = ["<&-", ">&-", "2>&-"].enumerated().filter { closed & (1 << $0.offset) != 0 }.map(
            \.element)
        func files() throws -> [Substring] {
            try Run.shell("cd $1 && find . | sort", container.data.rawValue).split(separator: "\n")
        }
        // What a first session makes is there before.
        #expect(try container.script("true").status == .success)
        let before = try files()
        let script = """
            exec \(ends.joined(separator: " "))
            "$1" login bb -- sh -c 'for n in 0 1 2; do readlink /proc/self/fd/$n; done >/seen; ls /proc/self/fd >/all'
            """
        _ = try Run.program(
            "sh", ["-c", script, "sh", BuiltBinary.path], environment: container.environment)
        let seen = try Run.shell("cat $1/seen; rm $1/seen", container.rootfs.rawValue)
            .split(separator: "\n").map(String.init)
        #expect(seen.count == 3)
        for (number, name) in seen.enumerated() where number != 1 {
            #expect((closed & (1 << number) != 0) == (name == "/dev/null"), "\(seen)")
        }
        // Only the three, and the one by which ls reads the directory.
        #expect(try Run.shell("cat $1/all; rm $1/all", container.rootfs.rawValue) == "0\n1\n2\n3\n")
        #expect(container.leftovers().isEmpty)
        #expect(try files() == before)
    }

    @Test("keeps the container running for what it leaves behind, and says so once")
    func leftBehind() throws {
        let outcome = try container.script("setsid sleep 1000 >/dev/null 2>&1 </dev/null & exit 3")
        #expect(outcome.status.code == 3)
        #expect(outcome.stderr.contains("1 process still runs in bb; stop it with: chroot-distro kill bb"))
        #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome.stderr)")
        let listed = try container.program(["ps", "--json"])
        #expect(listed.stdout.contains("left"), "\(listed.stdout)\(listed.stderr)")
        #expect(try container.program(["kill", "bb"]).status == .success)
        #expect(container.leftovers().isEmpty)
        #expect(try container.program(["ps", "-q"]).stdout.isEmpty)
    }

    @Test("lets the holder end when the last left-over process does")
    func holderEnds() throws {
        _ = try container.script(
            "setsid sh -c 'while [ ! -e /go ]; do sleep 0.05; done' >/dev/null 2>&1 </dev/null & exit 0")
        #expect(container.leftovers(within: 0).contains { $0.name == "cd-holder" })
        try TestImage.write("", to: container.rootfs / "go")
        #expect(container.leftovers().isEmpty)
    }

    @Test("runs as whom it was asked, with the groups of that user, in that home")
    func identity() throws {
        #expect(
            try container.login(["--user", "user"], "id").stdout
                == "uid=1000(user) gid=1000(user) groups=10(wheel),1000(user)\n")
        #expect(
            try container.login(["--user", "4242"], "sh", "-c", "id -u; id -g; pwd").lines == [
                "4242", "4242", "/",
            ])
        #expect(try container.login(["--user", "user"], "pwd").stdout == "/home/user\n")
        #expect(try container.login(["--user", "nobody-here"], "id").status == .failure)
    }

    @Test("makes a missing home, and starts in the root when it cannot be entered")
    func homes() throws {
        try Run.shell(
            "printf 'new:x:77:78::/srv/homes/new:/bin/sh\\n' >>$1/etc/passwd", container.rootfs.rawValue)
        let outcome = try container.login(["--user", "new"], "sh", "-c", "pwd; stat -c %u:%g:%a .")
        #expect(outcome.lines == ["/srv/homes/new", "77:78:700"], "\(outcome.stderr)")
        let asked = try container.login(["--work-dir", "/not/there"], "pwd")
        #expect(asked.status == .failure)
        #expect(asked.stderr.contains("/not/there"))
    }

    @Test("prints a plan without doing anything")
    func printsPlan() throws {
        let outcome = try container.program(["login", "bb", "--get-chroot-cmd", "--", "echo", "a b"])
        #expect(outcome.stdout.hasPrefix("unshare "))
        #expect(outcome.stdout.contains("a b"))
        #expect(access(container.run.rawValue, F_OK) != 0)
    }

    @Test("has a host name of its own when asked")
    func hostname() throws {
        #expect(try container.login(["--hostname", "box.lan"], "hostname").stdout == "box.lan\n")
        #expect(try container.login(["--hostname", "a b"], "hostname").status == .failure)
    }

    @Test("keeps an ignored hang-up ignored, as after nohup, and hears how its child ended all the same")
    func ignoredSignals() throws {
        let running = try Running.start(
            "/bin/sh",
            [
                "-c", "trap '' HUP CHLD; exec \"$1\" login bb -- sh -c 'echo up; sleep 1; exit 5'", "sh",
                BuiltBinary.path,
            ],
            environment: container.environment)
        _ = try running.read(until: "up")
        running.signal(SIGHUP)
        #expect(try running.finish(timeout: 20).status.code == 5)
    }
}
