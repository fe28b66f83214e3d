import Libc
import Platform
import TestSupport
import Testing

@Suite("login --isolated", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsIsolation)
struct IsolatedLoginTests {
    private func inside(_ program: Program, _ script: String, _ options: String...) throws -> String {
        let words = ["login", "box", "--isolated=strict"] + options + ["--", "sh", "-c", script]
        let outcome = try Run.program(BuiltBinary.path, words, environment: program.environment)
        try #require(outcome.status == .success, "\(script): \(outcome.stderr)")
        return outcome.stdout
    }

    @Test("is root of its own users, whose files stay the image's on the disk")
    func users() throws {
        let program = try Program.with("box")
        #expect(
            try inside(program, "id -u; touch /root/made; stat -c %u:%g /root/made /bin/sh")
                == "0\n0:0\n0:0\n")
        #expect(try inside(program, "cat /proc/self/uid_map | wc -l; touch /x; chown 1000:10 /x") == "1\n")
        let root = program.root(of: "box")
        let owners = try Run.succeeding(
            "stat", ["-c", "%u:%g", (root / "root/made").rawValue, (root / "x").rawValue])
        #expect(owners == "0:0\n1000:10\n")
    }

    @Test("has users that no other container has, the same at each start")
    func ranges() throws {
        let program = try Program.with("box")
        try program.install("other")
        func first(_ name: String) throws -> String {
            try program.succeed("login", name, "--isolated", "--", "cat", "/proc/self/uid_map").stdout
        }
        let (one, two) = (try first("box"), try first("other"))
        #expect(one != two && one.hasSuffix(" 65536\n"))
        #expect(try first("box") == one)
    }

    @Test("sees its own processes only, the first of which is an init that reaps")
    func processes() throws {
        let program = try Program.with("box")
        #expect(try inside(program, "set -- /proc/[0-9]*; echo $#; cat /proc/1/comm") == "2\ncd-holder\n")
        let zombies = "(sleep 0.1 &); sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"
        #expect(try inside(program, zombies) == "0\n")
    }

    @Test("passes signals to init on to everybody inside")
    func signals() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--isolated", "--", "sh", "-c",
            "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
        _ = try session.read(until: "ready")
        let holder = try #require(Processes.inMounts(of: Scratch.path).first { $0.name == "cd-holder" })
        kill(holder.pid, SIGTERM)
        let outcome = try session.finish(timeout: 20)
        #expect(outcome.stdout.contains("caught") && outcome.status == ExitStatus(code: 5))
    }

    @Test("has a host name, message queues, shared memory and terminals of its own")
    func namespaces() throws {
        let program = try Program.with("box")
        let host = try Run.succeeding("uname", ["-n"])
        #expect(
            try inside(program, "hostname; hostname inner; hostname; ls -d /dev/mqueue")
                == "box\ninner\n/dev/mqueue\n")
        #expect(try inside(program, "hostname", "--hostname", "phone") == "phone\n")
        #expect(try Run.succeeding("uname", ["-n"]) == host)
        var terminal = try program.onTerminal("login", "box", "--isolated", "--", "tty")
        _ = try terminal.finish()
        #expect(terminal.text.contains("/dev/pts/0"))
    }

    @Test("is joined as it is when nothing else is asked for, and refused in another mode")
    func joining() throws {
        let program = try Program.with("box")
        let first = try program.start(
            "login", "box", "--isolated", "--", "sh", "-c", "echo up >/run/seen; echo ready; cat")
        _ = try first.read(until: "ready")
        let joined = try program.succeed(
            "login", "box", "--", "sh", "-c", "cat /run/seen; cat /proc/self/uid_map")
        #expect(joined.stdout.hasPrefix("up\n") && joined.stdout.hasSuffix(" 65536\n"))
        #expect(try inside(program, "cat /run/seen") == "up\n")
        for options in [["--minimal"], ["--bind", "/srv:/x"], ["--read-only"]] {
            let words = ["login", "box"] + options + ["--", "true"]
            let outcome = try Run.program(BuiltBinary.path, words, environment: program.environment)
            #expect(
                outcome.status == .failure && outcome.stderr.contains("chroot-distro unmount box"),
                "\(options)")
        }
        _ = try first.finish()
    }

    @Test("shows a bind's files as the guest's own, and writes them as their owner")
    func bind() throws {
        let program = try Program.with("box")
        let shared = Scratch.path / "shared"
        try Run.shell("mkdir \"$1\"; echo host >\"$1/file\"; chown -R 4321:4321 \"$1\"", shared.rawValue)
        let made = try inside(
            program, "stat -c %u:%g /mnt/x/file; echo guest >/mnt/x/made", "--bind",
            "\(shared.rawValue):/mnt/x")
        #expect(made == "0:0\n")
        #expect(try Run.succeeding("stat", ["-c", "%u:%g", (shared / "made").rawValue]) == "4321:4321\n")
    }

    @Test("cannot write to a bind that belongs to the host's root")
    func rootsBind() throws {
        let program = try Program.with("box")
        let shared = Scratch.path / "shared"
        try Run.shell("mkdir -m 755 \"$1\"; echo host >\"$1/file\"", shared.rawValue)
        let seen = try inside(
            program,
            "cat /x/file; echo guest >/x/file || echo a; touch /x/y || echo b; rm -f /x/file || echo c",
            "--bind", "\(shared.rawValue):/x")
        #expect(seen == "host\na\nb\nc\n")
    }

    @Test("gives devices that are asked for to the guest's root", .needsFile("/dev/fuse"))
    func device() throws {
        let program = try Program.with("box")
        #expect(
            try inside(program, "stat -c '%u %F' /dev/fuse", "--device", "/dev/fuse")
                == "0 character special file\n")
        #expect(try inside(program, "ls /dev | grep -c fuse || :") == "0\n")
    }

    @Test("leaves nothing on the host when it is over")
    func traces() throws {
        let program = try Program.with("box")
        try Mountinfo.unchanged { _ = try inside(program, "true") }
        #expect(Processes.inMounts(of: Scratch.path).filter { $0.name != "cd-holder" }.isEmpty)
    }

    @Test("ends with everything in it, also what has namespaces of its own")
    func killed() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--isolated", "--", "sh", "-c",
            "setsid sleep 1000 & setsid sleep 1000 & echo ready; cat")
        _ = try session.read(until: "ready")
        try program.succeed("kill", "box")
        _ = try session.finish()
        #expect(try program.succeed("ps", "--quiet").stdout.isEmpty)
    }
}

@Suite("CD_USE_NS", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct NamespacesLoginTests {
    private func program() throws -> Program {
        var program = try Program.with("box")
        program.environment["CD_USE_NS"] = "1"
        return program
    }

    @Test("gives processes, host name and message queues of its own, with an init that reaps")
    func namespaces() throws {
        let program = try program()
        let script =
            "set -- /proc/[0-9]*; echo $#; hostname; cat /proc/1/comm; (sleep 0.1 &); sleep 0.3; set -- /proc/[0-9]*; echo $#"
        #expect(try program.inside("box", script) == "2\nbox\ncd-holder\n2")
        #expect(try program.inside("box", "[ / -ef /proc/1/root ] && echo same") == "same")
    }

    @Test("shares the host's /tmp and devices as without it, and its mounts with later sessions")
    func shares() throws {
        let program = try program()
        let first = try program.start(
            "login", "box", "--", "sh", "-c", "echo one >/run/seen; echo ready; cat")
        _ = try first.read(until: "ready")
        #expect(try program.inside("box", "cat /run/seen; mount | grep -c ' /tmp '") == "one\n1")
        let shared = Scratch.path / "shared"
        try Run.shell("mkdir \"$1\"; echo host >\"$1/file\"", shared.rawValue)
        let bound = try program.succeed(
            "login", "box", "--bind", "\(shared.rawValue):/new", "--", "cat", "/new/file")
        #expect(bound.stdout == "host\n")
        _ = try first.finish()
    }

    @Test("says how many processes were left, ends them, and leaves nothing")
    func left() throws {
        let program = try program()
        let outcome = try program.succeed(
            "login", "box", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 &")
        #expect(outcome.stderr.contains("2 processes still run"))
        #expect(try program.inside("box", "set -- /proc/[0-9]*; echo $#") == "4")
        try program.succeed("kill", "box")
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }
}

@Suite("The options of a session", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct SessionOptionTests {
    private func login(_ program: Program, _ options: [String], _ script: String) throws -> Run.Outcome {
        try Run.program(
            BuiltBinary.path, ["login", "box"] + options + ["--", "sh", "-c", script],
            environment: program.environment)
    }

    @Test("set name servers and hosts of the running container, and not of the image")
    func resolution() throws {
        let program = try Program.with("box")
        let outcome = try login(
            program, ["--dns", "192.0.2.1", "--add-host", "db:192.0.2.7"],
            "cat /etc/resolv.conf /etc/hosts; ls /dev/shm")
        #expect(outcome.stdout.hasPrefix("nameserver 192.0.2.1\n127.0.0.1"), "\(outcome.stderr)")
        #expect(outcome.stdout.hasSuffix("\n192.0.2.7\tdb\n"))
        let after = try program.inside("box", "cat /etc/hosts")
        #expect(!after.contains("192.0.2"))
    }

    @Test("mount memory where it is asked for")
    func memory() throws {
        let program = try Program.with("box")
        let outcome = try login(
            program, ["--tmpfs", "/mnt/fast:size=1m,mode=700"],
            "stat -c %a /mnt/fast; grep -c 'tmpfs.*size=1024k' /proc/mounts")
        #expect(outcome.stdout == "700\n1\n", "\(outcome.stderr)")
    }

    @Test("leave nothing to write to but memory", arguments: ["default", "isolated"])
    func readOnly(_ mode: String) throws {
        let program = try Program.with("box")
        let options = (mode == "isolated" ? ["--isolated"] : ["--no-shared-tmp"]) + ["--read-only"]
        let script = """
            touch /etc/x 2>/dev/null || echo sealed; touch /tmp/x /var/tmp/x /run/x /dev/shm/x && echo writable
            mount -o remount,rw / 2>/dev/null && touch /etc/x && echo undone; true
            """
        let outcome = try login(program, options, script)
        let expected = mode == "isolated" ? "sealed\nwritable\n" : "sealed\nwritable\nundone\n"
        #expect(outcome.stdout == expected, "\(outcome.stderr)")
    }

    @Test("take capabilities away and leave them", arguments: ["default", "isolated", "namespaces"])
    func capabilities(_ mode: String) throws {
        var program = try Program.with("box")
        if mode == "namespaces" { program.environment["CD_USE_NS"] = "1" }
        let options = mode == "isolated" ? ["--isolated"] : []
        func bounding(_ more: [String]) throws -> UInt64 {
            let line = try login(program, options + more, "grep CapBnd /proc/self/status").stdout
            return UInt64(line.split(separator: "\t").last?.dropLast() ?? "", radix: 16) ?? 0
        }
        let standard = try bounding([])
        #expect(standard & 1 << 16 == 0 && standard & 1 << 21 != 0)
        #expect(try bounding(["--cap-add", "SYS_TIME"]) == standard | 1 << 25)
        #expect(try bounding(["--cap-drop", "cap_net_raw"]) == standard & ~(1 << 13))
        #expect(try bounding(["--cap-drop", "ALL", "--cap-add", "chown"]) == 1)
        #expect(try bounding(["--privileged"]) & 1 << 16 != 0)
    }

    @Test(
        "let nobody gain privileges, in every mode",
        arguments: ["default", "minimal", "isolated", "namespaces"])
    func noNewPrivileges(_ mode: String) throws {
        var program = try Program.with("box")
        if mode == "namespaces" { program.environment["CD_USE_NS"] = "1" }
        let options = ["minimal", "isolated"].contains(mode) ? ["--\(mode)"] : []
        let script = "grep NoNewPrivs /proc/self/status"
        #expect(try login(program, options, script).stdout == "NoNewPrivs:\t0\n")
        #expect(try login(program, options + ["--no-new-privs"], script).stdout == "NoNewPrivs:\t1\n")
        program.environment["CD_NO_NEW_PRIVS"] = "1"
        #expect(try login(program, options, script).stdout == "NoNewPrivs:\t1\n")
    }

    @Test("call --bind --volume too, and refuse what they do not know")
    func words() throws {
        let program = try Program.with("box")
        #expect(try login(program, ["-v", "/etc:/host-etc:ro"], "ls -d /host-etc").stdout == "/host-etc\n")
        for words in [
            ["--cap-add", "nothing"], ["--dns", "x"], ["--add-host", "x"], ["--tmpfs", "/proc"],
            ["--device", "/etc"],
            ["--isolated=weak"], ["--isolated", "--minimal"], ["--isolated=strict", "--privileged"],
            ["--device", "/etc/passwd:/dev/x"], ["--tmpfs", "/x", "--bind", "/srv:/x"],
        ] {
            let outcome = try login(program, words, "true")
            #expect(
                outcome.status == .failure && outcome.stderr.contains("Error:"), "\(words): \(outcome.stderr)"
            )
        }
    }

    @Test("show the whole plan without doing any of it")
    func printed() throws {
        let program = try Program.with("box")
        let before = try program.snapshot()
        let outcome = try program.succeed(
            "login", "box", "--get-chroot-cmd", "--isolated", "--read-only", "--no-new-privs", "--cap-drop",
            "net_raw",
            "--dns", "192.0.2.1", "--tmpfs", "/x", "--", "true")
        for word in [
            "--pid", "--user", "--map-users=0,", "/proc/sys", "/proc/kcore", "no-new-privs", "-net_raw",
            "seccomp", "192.0.2.1",
            "remount,bind,ro",
        ] {
            #expect(outcome.stdout.contains(word), "\(word)")
        }
        #expect(try program.snapshot() == before)
    }
}
