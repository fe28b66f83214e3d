import Libc
import Platform
import TestSupport
import Testing

/// Programs, and what every test of backups needs.
extension Program {
    /// Everything in a container but the times of directories that no test has set: owners, modes, sizes, content.
    func description(of name: String) throws -> String {
        try Run.shell(
            """
            cd "$1"
            find . -mindepth 1 ! -type s -printf '%p|%y|%m|%U:%G|%T@|%l|%n\\n' | LC_ALL=C sort
            find . -type f -printf '%p|%s\\n' | LC_ALL=C sort
            # Of what is too large to be read, the middle.
            find . -type f -size +1048575k -exec dd if={} bs=4096 skip=131072 count=1 status=none ';' | sha256sum
            find . -type f -size -1048576k -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
            getfattr -h -R -d -m - . 2>/dev/null | LC_ALL=C sort || :
            """, root(of: name).rawValue)
    }

    /// Puts every kind of file into a container.
    func diversify(_ name: String, huge: String = "1T") throws {
        try Run.shell(
            """
            cd "$1/srv" 2>/dev/null || { mkdir "$1/srv"; cd "$1/srv"; }
            mkdir -m 2750 d; mkdir -m 555 closed; mkdir -m 0 none; printf text >d/f; ln d/f d/g; ln -s nowhere s; ln s t
            mkfifo -m 600 p; mknod -m 666 null c 1 3; mknod -m 640 loop b 7 0
            : >"$(printf '\\377\\376')"; : >"$(printf 'new\\nline')"; : >"$(printf '%0255d' 7)"; : >' '; : >'-rf'
            long=$(printf '%0200d' 1); mkdir -p "$long/$long"; printf deep >"$long/$long/file"
            touch -d '1960-02-03T04:05:06.789' d/f; touch -d '2100-01-01T00:00:00.000000001' d; : >late; touch -d 2200-01-01 late
            truncate -s \(huge) huge; printf middle | dd of=huge bs=1 seek=536870912 conv=notrunc status=none
            truncate -s 3M hole; printf x | dd of=hole bs=1 seek=1048576 conv=notrunc status=none
            head -c 300000 /dev/urandom >random; chown 12:34 d/f; chown -h 4294967294:70000 s; chmod 6755 random
            setfattr -n user.note -v kept d/f; setfattr -n user.dir -v kept d; setfattr -h -n trusted.link -v kept s
            setfattr -n security.capability -v 0x0000000200040000000000000000000000000000 random
            """, root(of: name).rawValue)
    }
}

@Suite("backup", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsProgram("setfattr", "getfattr"))
struct BackupTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    @Test(
        "is restored as it was: every kind of file, in every compression",
        arguments: ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"])
    func roundTrip(_ suffix: String) throws {
        let program = try Program.with("box")
        try program.diversify("box")
        let before = try program.description(of: "box")
        try program.succeed("backup", "box", "-o", file("box.\(suffix)"), "--verify")
        #expect(try Run.shell("stat -c %a \"$1\"", file("box.\(suffix)")) == "600\n")
        try program.succeed("rename", "box", "old")
        try program.succeed("restore", file("box.\(suffix)"))
        #expect(try program.description(of: "box") == before)
        #expect(try Run.shell("du -sk \"$1/srv\" | cut -f 1", program.root(of: "box").rawValue).count < 6)
        #expect(try program.inside("box", "cat /srv/d/g") == "text")
        #expect(try program.names() == ["box", "old"])
    }

    @Test("is compressed as its name or --compress says")
    func formats() throws {
        let program = try Program.with("box")
        for (name, type, magic) in [
            ("a.tgz", nil, "1f8b"), ("a.tbz2", nil, "425a"), ("a.txz", nil, "fd37"),
            ("A.TAR.ZST", nil, "28b5"), ("a.zst", nil, "28b5"), ("a.gz", nil, "1f8b"),
            ("a.img", nil, "5061"), ("b.tar.gz", "xz", "fd37"), ("b.tar.xz", "none", "5061"),
            ("c.tar", "zstd", "28b5"),
        ] {
            let path = file(name)
            if let type {
                try program.succeed("backup", "box", "-o", path, "-c", type)
            } else {
                try program.succeed("bak", "box", "--output", path)
            }
            #expect(try Run.shell("head -c 2 \"$1\" | od -An -tx1 | tr -d ' \\n'", path) == magic, "\(name)")
        }
        try program.refuse("backup", "box", "-o", file("x.tar.lz4"), naming: [".lz4"])
        #expect(access(file("x.tar.lz4"), F_OK) != 0)
    }

    @Test("goes through pipes both ways")
    func pipes() throws {
        let program = try Program.with("box")
        try program.diversify("box")
        let before = try program.description(of: "box")
        let archive = try Run.program(
            "/bin/sh", ["-c", "\"$1\" backup box -c zstd >\"$2\"", "sh", BuiltBinary.path, file("out")],
            environment: program.environment)
        #expect(archive.status == .success && archive.stdout.isEmpty, "\(archive.stderr)")
        try program.succeed("remove", "box")
        let back = try Run.program(
            "/bin/sh", ["-c", "cat \"$2\" | \"$1\" restore", "sh", BuiltBinary.path, file("out")],
            environment: program.environment)
        #expect(back.status == .success, "\(back.stderr)")
        #expect(try program.description(of: "box") == before)
    }

    @Test("equal containers give equal bytes, however many threads")
    func reproducible() throws {
        let program = try Program.with("box")
        for suffix in ["tar", "tar.gz", "tar.bz2", "tar.zst"] {
            try program.succeed("backup", "box", "-q", "-o", file("1.\(suffix)"))
            let alone = try Run.program(
                "/usr/bin/taskset",
                ["-c", "0", BuiltBinary.path, "backup", "box", "-q", "-o", file("2.\(suffix)")],
                environment: program.environment)
            #expect(alone.status == .success)
            #expect(
                try Run.shell("cmp \"$1\" \"$2\" && echo same", file("1.\(suffix)"), file("2.\(suffix)"))
                    == "same\n")
        }
    }

    @Test("is read by GNU tar: listed, extracted and compared", .needsProgram("tar"))
    func gnuTar() throws {
        let program = try Program.with("box")
        // GNU tar reads holes when it compares.
        try program.diversify("box", huge: "600M")
        try program.succeed("backup", "box", "-o", file("box.tar.gz"))
        let compared = try Run.shell(
            """
            cd "$1/data/chroot-distro/containers"
            tar --compare --numeric-owner --xattrs --xattrs-include='*' -zf "$2" 2>&1 | grep -v hdrcharset || :
            """, Scratch.path.rawValue, file("box.tar.gz"))
        #expect(compared == "")
        let listed = try Run.shell("tar -tzf \"$1\" | head -2", file("box.tar.gz"))
        #expect(listed == "box/manifest.json\nbox/rootfs/\n")
        try Run.shell(
            "mkdir -p \"$1/x\"; tar -C \"$1/x\" -xzpf \"$2\" --numeric-owner --xattrs --xattrs-include='*'",
            Scratch.path.rawValue, file("box.tar.gz"))
        let same = try Run.shell(
            "cd \"$1\"; find . -printf '%p|%y|%m|%U:%G|%T@|%l|%n|%s\\n' | sort | sha256sum; cd \"$2\"; "
                + "find . -printf '%p|%y|%m|%U:%G|%T@|%l|%n|%s\\n' | sort | sha256sum",
            program.root(of: "box").rawValue + "/srv", file("x/box/rootfs/srv")
        ).split(separator: "\n")
        #expect(Set(same).count == 1)
    }

    @Test("is read by bsdtar", .needsProgram("bsdtar"))
    func bsdtar() throws {
        let program = try Program.with("box")
        try program.diversify("box")
        try program.succeed("backup", "box", "-o", file("box.tar.zst"))
        try Run.shell(
            "mkdir \"$1/x\"; bsdtar -C \"$1/x\" -xpf \"$2\" --numeric-owner", Scratch.path.rawValue,
            file("box.tar.zst"))
        let same = try Run.shell(
            "cd \"$1\"; find . -printf '%p|%y|%m|%U:%G|%T@|%l|%n|%s\\n' | sort; echo ---; cd \"$2\"; "
                + "find . -printf '%p|%y|%m|%U:%G|%T@|%l|%n|%s\\n' | sort",
            program.root(of: "box").rawValue + "/srv", file("x/box/rootfs/srv")
        ).split(separator: "---\n")
        // Fractions of seconds before 1970 are another time to bsdtar than to POSIX.
        let differences = Set(same.first?.split(separator: "\n") ?? []).symmetricDifference(
            same.last?.split(separator: "\n") ?? [])
        #expect(
            same.count == 2 && differences.allSatisfy { $0.hasPrefix("./d/f|") || $0.hasPrefix("./d/g|") },
            "\(differences)")
    }

    @Test("gives everything to user and group 0 with --numeric-zero")
    func zero() throws {
        let program = try Program.with("box")
        try program.diversify("box")
        try program.succeed("backup", "box", "-o", file("box.tar"), "--numeric-zero", "--verify")
        let owners = try Run.shell(
            "tar --numeric-owner -tvf \"$1\" | awk '{print $2}' | sort -u", file("box.tar"))
        #expect(owners == "0/0\n")
    }

    @Test("replaces nothing, and is not written to a terminal")
    func refusals() throws {
        let program = try Program.with("box")
        try TestImage.write("precious", to: Scratch.path / "there.tar")
        try program.refuse("backup", "box", "-o", file("there.tar"), naming: ["there.tar", "exists"])
        #expect(try Run.succeeding("cat", [file("there.tar")]) == "precious")
        try program.refuse("backup", "box", "-o", file("no/such/folder.tar"), naming: ["folder.tar"])
        try program.refuse("backup", "box", "-o", Scratch.path.rawValue + "/", naming: [])
        try program.refuse("backup", "nobody", "-o", file("n.tar"), naming: ["nobody"])
        #expect(access(file("n.tar"), F_OK) != 0)
        for words in ["backup box", "restore"] {
            let words = words.split(separator: " ").map(String.init)
            var terminal =
                words.count == 2
                ? try program.onTerminal(words[0], words[1]) : try program.onTerminal(words[0])
            let status = try terminal.finish()
            #expect(status == .failure && terminal.text.contains("terminal"))
        }
    }

    @Test("says what it leaves out, and takes what lies below a mount")
    func omissions() throws {
        let program = try Program.with("box")
        try Run.shell(
            """
            python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1/tmp/sock"
            mkdir "$1/mnt" "$2/canary"; echo secret >"$2/canary/file"; echo below >"$1/mnt/below"
            """, program.root(of: "box").rawValue, Scratch.path.rawValue)
        let outcome = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-ec",
                "mount --bind \"$2/canary\" \"$1/mnt\"; exec \"$3\" backup box -o \"$2/box.tar\"", "sh",
                program.root(of: "box").rawValue, Scratch.path.rawValue, BuiltBinary.path,
            ], environment: program.environment)
        try #require(outcome.status == .success, "\(outcome.stderr)")
        let said = outcome.stderr
        #expect(said.contains("1 socket"), "\(said)")
        let names = try Run.shell("tar -tf \"$1\"", file("box.tar"))
        #expect(names.contains("box/rootfs/mnt/below\n") && !names.contains("file"))
    }

    private static func size(of path: HostPath) throws -> Int64 {
        try FileDescriptor.open(path, O_RDONLY).status().size
    }

    @Test("of a running container is consistent: everything stands still, and goes on afterwards")
    func frozen() throws {
        let program = try Program.with("box")
        // Two files that are always written one after the other.
        let busy = """
            while :; do echo x >>/a; echo x >>/z; done
            """
        let session = try program.start("login", "box", "--", "sh", "-c", "echo up >/ready; " + busy)
        defer { session.signalGroup(SIGKILL) }
        let ready = program.root(of: "box") / "z"
        try Waiting.require("it writes") { access(ready.rawValue, F_OK) == 0 }
        let outcome = try program.succeed("backup", "box", "-o", file("box.tar"))
        try #require(!outcome.stderr.contains("goes on"), "this machine cannot freeze: \(outcome.stderr)")
        #expect(
            outcome.stderr.contains("stands still") && !outcome.stderr.contains("changed"),
            "\(outcome.stderr)")
        try Run.shell(
            "tar -C \"$1\" -xf \"$2\" box/rootfs/a box/rootfs/z", Scratch.path.rawValue, file("box.tar"))
        let sizes = try ["a", "z"].map { try Int(Self.size(of: Scratch.path / "box/rootfs/\($0)")) }
        // Between the two writes, at most one is ahead.
        #expect(sizes[0] > 0 && (0...2).contains(sizes[0] - sizes[1]), "\(sizes)")
        // It goes on.
        let before = try Self.size(of: ready)
        #expect(try Waiting.until { try Self.size(of: ready) > before })
        let live = try program.succeed("backup", "box", "--live", "-o", file("live.tar"))
        #expect(live.stderr.contains("goes on"))
    }

    @Test("that is killed leaves no container standing still, and no file")
    func killed() throws {
        let program = try Program.with("box")
        try Run.shell("head -c 40000000 /dev/urandom >\"$1/srv.bin\"", program.root(of: "box").rawValue)
        let session = try program.start(
            "login", "box", "--", "sh", "-c", "while :; do echo x >>/tick; done")
        defer { session.signalGroup(SIGKILL) }
        let tick = program.root(of: "box") / "tick"
        try Waiting.require("it writes") { access(tick.rawValue, F_OK) == 0 }
        for attempt in 0..<8 {
            let process = try program.start("backup", "box", "-o", file("killed.tar.xz"))
            usleep(UInt32.random(in: 5_000...400_000))
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            usleep(100_000)
            let before = try Self.size(of: tick)
            let goesOn = try Waiting.until { try Self.size(of: tick) > before }
            #expect(goesOn, "attempt \(attempt): it stands still")
            #expect(access(file("killed.tar.xz"), F_OK) != 0)
        }
        #expect(try Run.shell("ls -A \"$1\" | grep -c killed || :", Scratch.path.rawValue) == "0\n")
        try program.succeed("backup", "box", "-o", file("killed.tar.zst"))
    }

    @Test("keeps sessions from starting meanwhile, and waits for nobody")
    func locked() throws {
        let program = try Program.with("box")
        try Run.shell("head -c 60000000 /dev/urandom >\"$1/srv.bin\"", program.root(of: "box").rawValue)
        let process = try program.start("backup", "box", "-o", file("box.tar.xz"))
        defer { process.signalGroup(SIGKILL) }
        let lock = (Scratch.path / "data/chroot-distro/locks/box.lock").rawValue
        try Waiting.require("the backup has the container") {
            try Run.program("grep", ["-q", "backup", lock]).status == .success
        }
        let outcome = try program.run("login", "box", "--", "true")
        #expect(outcome.status == .failure && outcome.stderr.contains("backup"), "\(outcome.stderr)")
    }

    @Test("is verified where the file system finds more data than before", .needsProgram("fallocate"))
    func unwritten() throws {
        let program = try Program.with("box")
        // Blocks that are taken and never written are holes until somebody has read them.
        try Run.shell(
            "cd \"$1\"; head -c 8000000 /dev/urandom >z; fallocate -l 4M a; truncate -s 8M a; printf x | dd of=a conv=notrunc status=none; sync a",
            program.root(of: "box").rawValue)
        let process = try program.start("backup", "box", "-o", file("box.tar.xz"), "--verify")
        usleep(400_000)
        try Run.shell("cat \"$1/a\" >/dev/null", program.root(of: "box").rawValue)
        let outcome = try process.finish()
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(access(file("box.tar.xz"), F_OK) == 0)
    }

    @Test("names its output when that takes no more", .needsFile("/dev/full"))
    func fullOutput() throws {
        let program = try Program.with("box")
        let outcome = try Run.program(
            "/bin/sh", ["-c", "\"$1\" backup box >/dev/full", "sh", BuiltBinary.path],
            environment: program.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("standard output cannot be written"), "\(outcome.stderr)")
        #expect(!outcome.stderr.contains("XDG_DATA_HOME"), "\(outcome.stderr)")
    }

    @Test(
        "of a container with any name is restored under that name",
        arguments: ["installed-rootfs", "proot-distro"])
    func unluckyNames(_ name: String) throws {
        let program = try Program.with(name)
        try program.succeed("backup", name, "-o", file("box.tar"))
        try program.succeed("remove", name)
        try program.succeed("restore", file("box.tar"))
        #expect(try program.names() == [name])
        #expect(try program.inside(name, "echo in") == "in")
    }
}
