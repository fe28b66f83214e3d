import Libc
import Platform
import TestSupport
import Testing

@Suite("copy", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct CopyTests {
    private let tree = Scratch.path / "tree"

    @Test(
        "brings every kind of file through, in and out and from container to container",
        .needsProgram("python3"))
    func everything() throws {
        let program = try Program.with("box")
        try program.install("two")
        try EveryFile.make(at: tree, specials: true)
        let wanted = try TreeListing.of(tree, besides: EveryFile.specials)
        let into = try program.succeed("copy", "-r", tree.rawValue, "box:/srv")
        #expect(into.stderr.contains("3 left out"), "\(into.stderr)")
        #expect(try TreeListing.of(program.root(of: "box") / "srv") == wanted)
        try program.succeed("copy", "-r", "box:/srv", "two:/opt/deeper/srv")
        #expect(try TreeListing.of(program.root(of: "two") / "opt/deeper/srv") == wanted)
        let out = Scratch.path / "out"
        try program.succeed("copy", "-r", "two:/opt/deeper/srv", out.rawValue)
        #expect(try TreeListing.of(out) == wanted)
        // And once more over what is there.
        try program.succeed("copy", "-r", "box:/srv/.", out.rawValue)
        #expect(try TreeListing.of(out).dropFirst() == wanted.dropFirst())
    }

    @Test("keeps a sparse terabyte sparse", .needsProgram("python3"))
    func sparse() throws {
        let program = try Program.with("box")
        try Run.succeeding(
            "python3",
            [
                "-c",
                "import os,sys; f=open(sys.argv[1],'wb'); f.truncate(1<<40); f.seek(700<<30); f.write(b'here')",
                tree.rawValue,
            ])
        try program.succeed("copy", tree.rawValue, "box:/root/")
        try program.succeed("copy", "box:/root/tree", (Scratch.path / "back").rawValue)
        let found = try Run.shell(
            "stat -c '%s %b' \"$1\"; dd if=\"$1\" bs=4 skip=$((700<<28)) count=1 2>/dev/null",
            (Scratch.path / "back").rawValue
        )
        .split(separator: "\n").map { $0.split(separator: " ") }
        #expect(found[0][0] == "1099511627776")
        #expect((Int(found[0][1]) ?? .max) < 1000)
        #expect(found[1] == ["here"])
    }

    @Test(
        "follows the rules of cp(1) for names and directories",
        arguments: [
            ("file", "box:/root", "root/file"), ("file", "box:/root/", "root/file"),
            ("file", "box:/root/new", "root/new"),
            ("file", "box:", "file"), ("file", "box:root/a/b/c", "root/a/b/c"),
            ("./file", "box:/etc/passwd", "etc/passwd"),
            ("dir", "box:/root", "root/dir/inner"), ("dir/", "box:/root", "root/dir/inner"),
            ("dir/.", "box:/root", "root/inner"),
            ("dir", "box:/root/new", "root/new/inner"), ("dir", "box:/root/new/", "root/new/inner"),
            ("dir/sub/..", "box:/root", "root/inner"),
        ])
    func names(source: String, destination: String, arrived: String) throws {
        let program = try Program.with("box")
        try Run.shell(
            "cd \"$1\"; echo mine >file; mkdir -p dir/sub; echo mine >dir/inner", Scratch.path.rawValue)
        let outcome = try program.run("copy", "-r", source, destination, directory: Scratch.path)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(try Run.shell("cat \"$1\"", (program.root(of: "box") / arrived).rawValue) == "mine\n")
    }

    @Test("refuses with one clear line, and changes nothing")
    func refusals() throws {
        let program = try Program.with("box")
        try Run.shell(
            "cd \"$1\"; mkdir dir; echo x >file; mkfifo fifo; ln -s gone dangling", Scratch.path.rawValue)
        let (directory, file) = ((Scratch.path / "dir").rawValue, (Scratch.path / "file").rawValue)
        try program.refuse("copy", directory, "box:/root", naming: ["dir", "--recursive"])
        try program.refuse("copy", file, "box:/new/", naming: ["box:/new/"])
        try program.refuse("copy", file, "box:/etc/passwd/x", naming: ["box:/etc/passwd/x"])
        try program.refuse("copy", "-r", directory, "box:/etc/passwd", naming: ["box:/etc/passwd"])
        try program.refuse("copy", (Scratch.path / "fifo").rawValue, "box:/", naming: ["fifo"])
        try program.refuse("copy", file, (Scratch.path / "dir").rawValue, naming: ["NAME:PATH"])
        try program.refuse("copy", "box:/nothing", directory, naming: ["box:/nothing"])
        try program.refuse("copy", "bix:/etc", directory, naming: ["bix", "box"])
        try program.refuse("copy", "box:/../etc/passwd", directory, naming: ["box:/../etc/passwd"])
        try program.refuse("copy", file, "box:/etc/passwd", "-v", "-q", naming: ["--quiet", "--verbose"])
        try program.refuse(
            "copy", (Scratch.path / "dangling").rawValue, "box:/", naming: ["dangling", "gone"])
        try program.refuse("copy", "--chown", "nobody-there", file, "box:/root/", naming: ["nobody-there"])
        try program.refuse("copy", "--chown", "4711", file, "box:/root/", naming: ["4711"])
        try program.refuse("copy", "--chown", ":", file, "box:/root/", naming: ["--chown"])
    }

    @Test("never copies a thing onto itself or into itself, by whatever names")
    func overlaps() throws {
        let program = try Program.with("box")
        let root = program.root(of: "box")
        try Run.shell("cd \"$1\"; mkdir -p a/b; echo x >a/f; ln a/f g; ln -s a other", root.rawValue)
        for verb in ["copy", "sync"] {
            let flags = verb == "copy" ? "-r" : "-v"
            try program.refuse(verb, flags, "box:/a", "box:/a/b/new", naming: ["box:/a/b/new"])
            try program.refuse(verb, flags, "box:/a", "box:/other/b/new", naming: ["box:/other/b/new"])
            try program.refuse(verb, flags, (root / "a").rawValue, "box:/a/b/new", naming: ["box:/a/b/new"])
            try program.refuse(verb, flags, "box:/", "box:/a/new", naming: ["box:/a/new"])
        }
        try program.refuse("copy", "box:/a/f", "box:/g", naming: ["same file"])
        try program.refuse("copy", "box:/a/f", "box:/a", naming: ["same file"])
        try program.refuse("copy", "-r", "box:/a", "box:/", naming: ["same file"])
        try program.refuse("sync", "box:/a", "box:/other", naming: ["same file"])
        try program.refuse("sync", "--delete", "box:/a/b", "box:/a", naming: ["deleted"])
        #expect(try Run.shell("cat \"$1/g\" \"$1/a/f\"", root.rawValue) == "x\nx\n")
    }

    @Test("follows a link that is named, and copies those inside as links")
    func links() throws {
        let program = try Program.with("box") { tar in
            tar.add("etc/real", text: "real")
            tar.add("etc/link", .symbolicLink, target: "/etc/real")
            tar.add("srv", .symbolicLink, target: "etc")
        }
        let out = Scratch.path / "out"
        try program.succeed("copy", "box:/srv/link", out.rawValue)
        #expect(try Run.shell("test ! -L \"$1\"; cat \"$1\"", out.rawValue) == "real")
        try program.succeed("copy", "-r", "box:/srv", (Scratch.path / "tree").rawValue)
        #expect(try Run.shell("readlink \"$1/link\"", tree.rawValue) == "/etc/real\n")
        // A link at the destination is followed as well, inside.
        try program.succeed("copy", out.rawValue, "box:/srv/link")
        #expect(
            try Run.shell("test -L \"$1/link\"; cat \"$1/real\"", (program.root(of: "box") / "etc").rawValue)
                == "real")
    }

    @Test("reads a file that is bound over another")
    func bound() throws {
        let program = try Program.with("box")
        try TestImage.write("bound", to: tree)
        let script =
            "touch \"$1.over\"; mount --bind \"$1\" \"$1.over\"; exec \"$2\" copy \"$1.over\" box:/root/over"
        let words = [
            "-m", "--propagation", "private", "sh", "-c", script, "sh", tree.rawValue, BuiltBinary.path,
        ]
        let outcome = try Run.program("unshare", words, environment: program.environment)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(try Run.shell("cat \"$1/root/over\"", program.root(of: "box").rawValue) == "bound")
    }

    @Test("copies to a disk that knows neither owners nor modes nor links", .needsDisk("vfat"))
    func poorDisk() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir -p \"$1/d\"; cd \"$1\"; echo x >a; ln a d/b; chmod 640 a; chown 5:6 a d; echo y >d/c",
            (program.root(of: "box") / "srv").rawValue)
        let script = """
            mkdir "$1/disk"; truncate -s 4M "$1/image"; mkfs.vfat "$1/image" >/dev/null
            mount -o loop "$1/image" "$1/disk" || exit 9
            "$2" copy -r box:/srv "$1/disk/srv" && "$2" sync box:/srv "$1/disk/srv" -v; cd "$1/disk/srv"; cat a d/b d/c
            """
        let words = [
            "-m", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
            BuiltBinary.path,
        ]
        let outcome = try Run.program("unshare", words, environment: program.environment)
        #expect(outcome.stdout == "x\nx\ny\n", "\(outcome.stderr)")
        #expect(!outcome.stderr.contains("Error") && !outcome.stderr.contains("file:"), "\(outcome.stderr)")
    }

    @Test("reads files of the kernel's, which say that they are empty")
    func kernel() throws {
        let program = try Program.with("box")
        try program.succeed("copy", "/proc/version", "box:/root/")
        #expect(try program.inside("box", "cat /root/version").contains("Linux"))
    }

    @Test("replaces a file in one step: whoever has it open, or has another name for it, keeps the old one")
    func replacing() throws {
        let program = try Program.with("box")
        let etc = program.root(of: "box") / "etc"
        try Run.shell("cd \"$1\"; ln passwd kept; echo new >\"$2\"", etc.rawValue, tree.rawValue)
        let before = try Run.shell("cat \"$1/kept\"", etc.rawValue)
        try program.succeed("copy", tree.rawValue, "box:/etc/passwd")
        #expect(try Run.shell("cat \"$1/kept\"", etc.rawValue) == before)
        #expect(try Run.shell("cat \"$1/passwd\"", etc.rawValue) == "new\n")
    }

    @Test("leaves what is of another kind alone, copies the rest and says so")
    func conflicts() throws {
        let program = try Program.with("box")
        try Run.shell(
            """
            mkdir -p "$1/a" "$2/tree/b"; echo x >"$1/a/f"; echo x >"$1/b"; echo x >"$1/c"; echo x >"$1/d"
            echo keep >"$2/tree/a"; echo keep >"$2/tree/b/f"; mkfifo "$2/tree/c"
            """, tree.rawValue, (program.root(of: "box") / "srv").rawValue)
        let outcome = try program.run("copy", "-r", tree.rawValue, "box:/srv")
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("3 of the entries"), "\(outcome.stderr)")
        let found = try Run.shell(
            "cd \"$1/srv/tree\"; cat a b/f d; test -p c", program.root(of: "box").rawValue)
        #expect(found == "keep\nkeep\nx\n")
    }

    @Test("gives the copies to whom --chown names, by the accounts of the destination")
    func owners() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1\"; cd \"$1\"; echo x >f; chmod 4755 f; ln -s f l; mkdir d", tree.rawValue)
        for (spec, owner) in [
            ("user", "1000:1000"), ("user:wheel", "1000:10"), ("7:8", "7:8"), (":wheel", "0:10"),
            ("1000", "1000:1000"),
        ] {
            try program.succeed(
                "copy", "-r", "--chown", spec, tree.rawValue,
                "box:/srv-\(owner)-\(spec.hasPrefix(":"))\(spec.count)")
            let found = try Run.shell(
                "cd \"$1\"/srv-$2-*; stat -c %u:%g . f l d; stat -c %a f", program.root(of: "box").rawValue,
                owner)
            #expect(found.split(separator: "\n").dropLast().allSatisfy { $0 == owner }, "\(spec): \(found)")
            #expect(found.hasSuffix("755\n") && !found.hasSuffix("4755\n"), "\(spec): \(found)")
        }
    }

    @Test("says nothing when it is quiet, and names each entry when it is verbose, without obeying any")
    func talk() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1\"; cd \"$1\"; echo x >plain; : >\"$(printf 'e\\033[31m')\"", tree.rawValue)
        #expect(try program.succeed("copy", "-r", "-q", tree.rawValue, "box:/a").stderr.isEmpty)
        let talk = try program.succeed("cp", "-r", "-v", tree.rawValue, "box:/b")
        #expect(talk.stderr.contains("b/plain") && talk.stderr.contains("\\e[31m"), "\(talk.stderr)")
        #expect(!talk.stderr.contains("\u{1b}") && talk.stdout.isEmpty)
    }

    // MARK: - Moving

    @Test("moves between host and container, and leaves nothing behind", .needsProgram("python3"))
    func move() throws {
        let program = try Program.with("box")
        try EveryFile.make(at: tree)
        let wanted = try TreeListing.of(tree)
        try program.succeed("copy", "-m", tree.rawValue, "box:/srv")
        #expect(access(tree.rawValue, F_OK) != 0)
        #expect(try TreeListing.of(program.root(of: "box") / "srv") == wanted)
        try program.succeed("copy", "--move", "box:/srv", tree.rawValue)
        #expect(try TreeListing.of(tree) == wanted)
        #expect(access((program.root(of: "box") / "srv").rawValue, F_OK) != 0)
    }

    @Test("gives what moves inside a container a new name only")
    func rename() throws {
        let program = try Program.with("box")
        let root = program.root(of: "box")
        try Run.shell("cd \"$1\"; mkdir d; mkfifo d/fifo; ln -s nowhere l; ls -id d >before", root.rawValue)
        try program.succeed("copy", "-m", "box:/d", "box:/root")
        try program.succeed("copy", "-m", "box:/l", "box:/root/m")
        #expect(
            try Run.shell(
                "cd \"$1/root\"; test -p d/fifo; readlink m; test ! -e ../d; test ! -L ../l", root.rawValue)
                == "nowhere\n")
        #expect(
            try Run.shell("cut -d' ' -f1 \"$1/before\"", root.rawValue)
                == Run.shell("stat -c %i \"$1/root/d\"", root.rawValue))
        try program.refuse("copy", "-m", "box:/root", "box:/root/d", naming: ["box:/root/d"])
        try program.refuse("copy", "-m", "box:/", "box:/root", naming: ["box:/"])
    }

    @Test("never lets host and container share a file that has other names on the host")
    func unshared() throws {
        let program = try Program.with("box")
        let other = Scratch.path / "other"
        try Run.shell("echo mine >\"$1\"; ln \"$1\" \"$2\"", tree.rawValue, other.rawValue)
        try program.succeed("copy", "-m", tree.rawValue, "box:/root/")
        _ = try program.inside("box", "echo changed >/root/tree")
        #expect(try Run.shell("cat \"$1\"", other.rawValue) == "mine\n")
    }

    @Test("keeps all of the source when anything of it cannot go along")
    func incomplete() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1\"; cd \"$1\"; echo x >f; mkfifo p", tree.rawValue)
        let outcome = try program.run("copy", "-m", tree.rawValue, "box:/srv")
        #expect(outcome.status == .failure && outcome.stderr.contains("left as it was"), "\(outcome.stderr)")
        #expect(try Run.shell("cat \"$1/f\"; test -p \"$1/p\"", tree.rawValue) == "x\n")
        try program.succeed("copy", "-m", (tree / "f").rawValue, "box:/srv/f2")
    }

    @Test("keeps the source when something of it gets lost on the way", .needsProgram("setfattr"))
    func lost() throws {
        let program = try Program.with("box")
        let srv = program.root(of: "box") / "srv"
        try Run.shell(
            "mkdir -p \"$1/d\"; echo x >\"$1/d/f\"; setfattr -n user.a -v b \"$1/d/f\"", srv.rawValue)
        // This file system has no attributes.
        let script = """
            mkdir "$1/disk"; mount -t ramfs none "$1/disk" || exit 77
            "$2" copy -m box:/srv/d "$1/disk/"; echo $?; cat "$1/disk/d/f"
            """
        let words = [
            "-m", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
            BuiltBinary.path,
        ]
        let outcome = try Run.program("unshare", words, environment: program.environment)
        guard outcome.status.code != 77 else { return }
        #expect(outcome.stdout == "1\nx\n", "\(outcome.stderr)")
        #expect(
            outcome.stderr.contains("1 extended attributes") && outcome.stderr.contains("left as it was"),
            "\(outcome.stderr)")
        #expect(try Run.shell("cat \"$1/d/f\"", srv.rawValue) == "x\n")
    }

    // MARK: - Others

    @Test("waits for nobody who changes the container, and keeps them out itself")
    func locks() throws {
        let program = try Program.with("box")
        let lock = Scratch.path / "data/chroot-distro/locks/box.lock"
        try TestImage.write("x", to: tree)
        let holder = try Running.start("flock", ["-x", lock.rawValue, "sh", "-c", "echo held; cat"])
        _ = try holder.read(until: "held")
        let outcome = try program.run("copy", tree.rawValue, "box:/root/")
        #expect(outcome.status == .failure && outcome.stderr.contains("in use"), "\(outcome.stderr)")
        _ = try holder.finish()
        // Whoever only starts a session is no obstacle.
        let sharer = try Running.start("flock", ["-s", lock.rawValue, "sh", "-c", "echo held; cat"])
        _ = try sharer.read(until: "held")
        try program.succeed("copy", tree.rawValue, "box:/root/")
        _ = try sharer.finish()
    }

    @Test("two containers can be copied to each other at the same time")
    func crosswise() throws {
        let program = try Program.with("a")
        try program.install("b")
        for _ in 0..<10 {
            let there = try program.start("copy", "-r", "-q", "a:/bin", "b:/from-a")
            let back = try program.start("copy", "-r", "-q", "b:/bin", "a:/from-b")
            #expect(try there.finish().status == .success)
            #expect(try back.finish().status == .success)
        }
    }

    @Test("copies into a container in which somebody works")
    func running() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c", "echo ready; read x; cat /root/tree")
        _ = try session.read(until: "ready")
        try TestImage.write("fresh\n", to: tree)
        try program.succeed("copy", tree.rawValue, "box:/root/")
        // Behind what the session has mounted, nobody inside sees it.
        for words in [["copy", tree.rawValue, "box:/run/x"], ["copy", "box:/run/x", tree.rawValue]] {
            let covered = try Run.program(BuiltBinary.path, words, environment: program.environment)
            #expect(
                covered.status == .success && covered.stderr.contains("mounted on /run"), "\(covered.stderr)")
        }
        #expect(try session.finish(input: Array("\n".utf8)).stdout == "fresh\n")
        try program.succeed("unmount", "box")
        #expect(try !program.succeed("copy", "box:/run/x", tree.rawValue).stderr.contains("mounted"))
    }
}
