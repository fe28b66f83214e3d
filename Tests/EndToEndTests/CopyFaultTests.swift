import Libc
import Platform
import TestSupport
import Testing

@Suite("copy and sync, interrupted", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct CopyFaultTests {
    private let tree = Scratch.path / "tree"

    @Test(
        "leave no half file under its name, however they are killed, and go on afterwards",
        .needsProgram("python3"))
    func killed() throws {
        let program = try Program.with("box")
        let script = """
            import os, sys
            os.makedirs(sys.argv[1])
            for n in range(200):
                d = f"{sys.argv[1]}/{n % 7}"
                os.makedirs(d, exist_ok=True)
                with open(f"{d}/{n}", "wb") as f: f.write(bytes([n]) * (100_000 + n * 3000))
            """
        try Run.succeeding("python3", ["-c", script, tree.rawValue])
        let check = """
            import os, re, sys
            for path, _, names in os.walk(sys.argv[1]):
                for name in names:
                    if re.fullmatch(r"\\.chroot-distro\\.unfinished\\.[0-9]+", name): continue
                    data = open(os.path.join(path, name), "rb").read()
                    n = int(name)
                    assert len(data) in (100_000 + n * 3000, 3) and len(set(data)) == 1, name
            """
        var moments = try KillingMoments { try program.succeed("sync", "-c", tree.rawValue, "box:/srv") }
        try Run.shell("rm -rf \"$1\"/*", (program.root(of: "box") / "srv").rawValue)
        var round = 0
        while moments.wantsMore(than: 14) {
            round += 1
            let verb = round.isMultiple(of: 2) ? "sync" : "copy"
            let words = verb == "sync" ? ["sync", "-c"] : ["copy", "-r"]
            let running = try Running.start(
                BuiltBinary.path, words + [tree.rawValue + "/.", "box:/srv/"],
                environment: program.environment)
            moments.pass()
            running.signal(SIGKILL)
            moments.note(done: try running.finish().status == .success)
            try Run.succeeding("python3", ["-c", check, (program.root(of: "box") / "srv").rawValue])
            // So that there is something to replace, too.
            try Run.shell(
                "cd \"$1\" && for f in */*5; do [ ! -f $f ] || printf '%s' aaa >$f; done || true",
                (program.root(of: "box") / "srv").rawValue)
        }
        #expect(moments.hitBothSides)
        // What was killed between two names is swept away only when it is a minute old.
        try Run.shell("find \"$1\" -name '.chroot-distro.*' -delete", program.root(of: "box").rawValue)
        try program.succeed("sync", tree.rawValue, "box:/srv")
        #expect(try TreeListing.of(program.root(of: "box") / "srv") == TreeListing.of(tree))
    }

    @Test(
        "leave nothing half there on a full disk, and nothing is lost by moving", .needsDisk("ext4"),
        arguments: ["tmpfs", "ext4"])
    func full(_ kind: String) throws {
        let program = try Program.with("box") { tar in
            tar.add("srv/large", content: [UInt8](repeating: 0x61, count: 6 << 20))
            tar.add("srv/small", text: "small")
        }
        let script = """
            mkdir "$1/disk"
            if [ $2 = tmpfs ]; then mount -t tmpfs -o size=4m none "$1/disk"; else
                truncate -s 4M "$1/image"; mkfs.ext4 -q -O ^has_journal "$1/image"; mount -o loop "$1/image" "$1/disk" || exit 9; rmdir "$1/disk/lost+found"
            fi
            echo old >"$1/disk/large"; kind=$2; place=$1; shift 2
            "$@" copy box:/srv/large "$place/disk/"; echo $?
            "$@" sync box:/srv/large "$place/disk/"; echo $?
            "$@" copy -m box:/srv "$place/disk/srv"; echo $?
            cat "$place/disk/large"; find "$place/disk" -name 'large' -o -name '.chroot*' | wc -l
            """
        let outcome = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue, kind,
                BuiltBinary.path,
            ],
            environment: program.environment)
        #expect(outcome.stdout == "1\n1\n1\nold\n1\n", "\(outcome.stdout) \(outcome.stderr)")
        #expect(outcome.stderr.contains("No space left"))
        #expect(
            try Run.shell(
                "stat -c %s \"$1/srv/large\"; cat \"$1/srv/small\"", program.root(of: "box").rawValue)
                == "6291456\nsmall")
    }

    @Test("copy what is there while files come and go")
    func restless() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir -p \"$1/d\"; for n in $(seq 300); do echo $n >\"$1/$n\"; done", tree.rawValue)
        let script =
            "cd \"$1\"; echo on; while :; do for n in 1 2 3 4 5 6 7 8; do echo x >d/$n; mv d/$n d/x$n; rm -f d/x$n; done; mv d e; mv e d; done"
        let busy = try Running.start("/bin/sh", ["-c", script, "sh", tree.rawValue])
        _ = try busy.read(until: "on")
        for round in 0..<12 {
            let outcome = try program.run(
                round.isMultiple(of: 2) ? "sync" : "copy", "-v",
                tree.rawValue + (round.isMultiple(of: 2) ? "" : "/1"), "box:/srv")
            #expect(outcome.status == .success, "\(outcome.stderr)")
        }
        busy.signalGroup(SIGKILL)
        _ = try busy.finish()
        #expect(try Run.shell("cat \"$1/300\"", (program.root(of: "box") / "srv").rawValue) == "300\n")
    }
}
