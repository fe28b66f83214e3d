import Libc
import Platform
import TestSupport
import Testing

@Suite("A session with --rm", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct EphemeralTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    @Test("changes what it likes, and nothing of that stays", arguments: ["login", "run"])
    func vanishes(_ command: String) throws {
        try Run.shell("chmod 751 $1", container.rootfs.rawValue)
        let before = try Run.shell("cd $1; find . | sort; cat etc/passwd", container.rootfs.rawValue)
        let script = """
            echo new >/made; rm -rf /home /etc/group; echo x >>/etc/passwd; cat /made; stat -c %a /
            id; ls /etc; setsid sleep 1000 & exit 6
            """
        let words = command == "run" ? ["--entrypoint", "/bin/sh", "--"] : ["--", "sh"]
        let outcome = try Mountinfo.unchanged {
            try container.program([command, "bb", "--rm"] + words + ["-c", script])
        }
        #expect(outcome.status.code == 6, "\(outcome.stderr)")
        #expect(outcome.lines.first == "new" && outcome.lines.dropFirst().first == "751", "\(outcome.stdout)")
        #expect(outcome.stdout.contains("uid=0(root)") && !outcome.lines.contains("group"))
        // Not even what it left behind keeps it.
        #expect(container.leftovers().isEmpty)
        let after = try Run.shell("cd $1; find . | sort; cat etc/passwd", container.rootfs.rawValue)
        #expect(after == before)
        #expect(try container.script("test -e /made; echo $?").stdout == "1\n")
    }

    @Test("in a boundary of its own has the container's own ids above and below", .needsIsolation)
    func isolated() throws {
        try Run.shell(
            "chmod 751 $1; echo old >$1/etc/file; chown 1000:1000 $1/etc/file", container.rootfs.rawValue)
        let before = try Run.shell("cd $1; find . -printf '%p %U %m %s\\n' | sort", container.rootfs.rawValue)
        let script = """
            id -u; head -1 /proc/self/uid_map | tr -s ' '; stat -c '%u %a' / /etc/file; echo new >>/etc/file; stat -c %u /etc/file
            echo x >/made; chown 1000 /made; stat -c %u /made; chmod 4755 /made; rm -rf /home; mkdir /home; ls /home
            mount -t tmpfs none /home && echo mounted; umount / 2>/dev/null && echo gone; true
            """
        let outcome = try Mountinfo.unchanged { try container.script(script, ["--rm", "--isolated=strict"]) }
        let lines = outcome.lines
        #expect(
            lines.first == "0" && lines.dropFirst().first?.hasSuffix(" 65536") == true, "\(outcome.stderr)")
        #expect(
            Array(lines.dropFirst(2)) == ["0 751", "1000 644", "1000", "1000", "mounted"],
            "\(outcome.stdout)\(outcome.stderr)")
        #expect(container.leftovers().isEmpty)
        let after = try Run.shell("cd $1; find . -printf '%p %U %m %s\\n' | sort", container.rootfs.rawValue)
        #expect(after == before)
    }

    @Test("is joined by others, but is not had in a container that runs without it")
    func joining() throws {
        let first = try container.start(script: "echo a >/shared; echo up; read x", ["--rm"])
        _ = try first.read(until: "up")
        #expect(try container.script("cat /shared").stdout == "a\n")
        _ = try first.finish(input: Array("\n".utf8))
        #expect(container.leftovers().isEmpty)
        let plain = try container.start(script: "echo up; read x")
        _ = try plain.read(until: "up")
        let refused = try container.login(["--rm"], "true")
        #expect(refused.status == .failure && refused.stderr.contains("unmount bb"), "\(refused.stderr)")
        _ = try plain.finish(input: Array("\n".utf8))
    }

    @Test("leaves nothing when it is killed")
    func killed() throws {
        let running = try container.start(script: "echo x >/made; echo up; exec sleep 1000", ["--rm"])
        _ = try running.read(until: "up")
        running.signal(SIGKILL)
        _ = try running.finish()
        #expect(container.leftovers().isEmpty)
        #expect(access((container.rootfs / "made").rawValue, F_OK) != 0)
    }
}
