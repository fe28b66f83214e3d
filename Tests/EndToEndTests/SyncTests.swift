import Libc
import Platform
import TestSupport
import Testing

@Suite("sync", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct SyncTests {
    private let tree = Scratch.path / "tree"

    /// What a sync of the tree says, one line for each entry.
    private func sync(_ program: Program, _ flags: String...) throws -> [String] {
        let words = ["sync", "-v"] + flags + [tree.rawValue, "box:/srv"]
        let outcome = try Run.program(BuiltBinary.path, words, environment: program.environment)
        try #require(outcome.status == .success, "\(outcome.stderr)")
        return outcome.stderr.split(separator: "\n").dropLast().map { String($0.dropFirst(4)) }
    }

    private func there(_ program: Program) -> HostPath { program.root(of: "box") / "srv" }

    @Test("makes an exact mirror, and does nothing the second time", .needsProgram("python3"))
    func mirror() throws {
        let program = try Program.with("box")
        try EveryFile.make(at: tree, specials: true)
        let wanted = try TreeListing.of(tree, besides: EveryFile.specials)
        #expect(try sync(program).count > 20)
        #expect(try TreeListing.of(there(program)) == wanted)
        let inodes = try Run.shell("find \"$1\" -printf '%i %p %Cs\\n'", there(program).rawValue)
        for flag in ["-v", "-c", "-d"] {
            #expect(
                try sync(program, flag).filter { !$0.hasPrefix("left out") && !$0.hasPrefix("ing:") } == [])
        }
        #expect(try Run.shell("find \"$1\" -printf '%i %p %Cs\\n'", there(program).rawValue) == inodes)
        try program.succeed("sync", "box:/srv", (Scratch.path / "out").rawValue)
        #expect(try TreeListing.of(Scratch.path / "out") == wanted)
    }

    @Test("copies what differs in size or time, and does not look into the rest")
    func comparison() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1\"; cd \"$1\"; for f in same size time; do echo old >$f; done; touch -d @1000 *",
            tree.rawValue)
        _ = try sync(program)
        try Run.shell(
            "cd \"$1\"; echo new >same; echo longer >size; touch -d @1000 same size; touch -d @1001.5 time",
            tree.rawValue)
        #expect(
            try sync(program).filter { $0.contains("file") }.sorted() == [
                "changed file: size", "changed file: time",
            ])
        #expect(try Run.shell("cat \"$1/same\" \"$1/size\"", there(program).rawValue) == "old\nlonger\n")
        #expect(try sync(program, "--checksum") == ["changed file: same"])
        #expect(try Run.shell("cat \"$1/same\"", there(program).rawValue) == "new\n")
    }

    @Test("compares content with --checksum, and corrects the time of what is equal")
    func checksum() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1\"; cd \"$1\"; echo x >f; truncate -s 1T holes; echo y >>holes", tree.rawValue)
        _ = try sync(program)
        try Run.shell("touch -d @5 \"$1/f\"; touch -d @1 \"$1\"", tree.rawValue)
        #expect(try sync(program, "-c").sorted() == ["owner, mode or time: .", "owner, mode or time: f"])
        #expect(try Run.shell("stat -c %Y \"$1/f\" \"$1\"", there(program).rawValue) == "5\n1\n")
    }

    @Test("corrects owners and modes without copying, but never those of another name of the file")
    func metadata() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1\"; cd \"$1\"; echo x >f; echo x >g; ln -s f l", tree.rawValue)
        _ = try sync(program)
        try Run.shell("cd \"$1\"; ln g ../other; stat -c %i f >../inode", there(program).rawValue)
        try Run.shell(
            "cd \"$1\"; chmod 4711 f; chown 5:6 f; chmod 600 g; chown -h 7:8 l; ",
            tree.rawValue)
        #expect(try sync(program).contains("owner, mode or time: f"))
        #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
        #expect(
            try Run.shell(
                "cd \"$1\"; stat -c %i f | cmp - ../inode; stat -c %a ../other", there(program).rawValue)
                == "644\n")
    }

    @Test("sees attributes that differ while all else is equal", .needsProgram("setfattr"))
    func attributes() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir -p \"$1/d\"; cd \"$1\"; echo x >f; echo x >g; ln -s f l; setfattr -n user.old -v x f",
            tree.rawValue)
        _ = try sync(program)
        #expect(try sync(program) == [])
        try Run.shell(
            "cd \"$1\"; setfattr -x user.old f; setfattr -n user.a -v b g d; setfattr -h -n trusted.a -v b l",
            tree.rawValue)
        #expect(try sync(program).count == 4)
        #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
        #expect(try sync(program) == [])
    }

    @Test("keeps and mends the groups of hard links")
    func hardLinks() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1\"; cd \"$1\"; echo x >a; ln a b; ln a c; echo y >d", tree.rawValue)
        _ = try sync(program)
        #expect(try sync(program) == [])
        try Run.shell("cd \"$1\"; cp -p b e; mv e b", there(program).rawValue)
        let mended = try sync(program)
        #expect(mended.count <= 3 && mended.contains { $0.hasPrefix("hard link") }, "\(mended)")
        try Run.shell("cd \"$1\"; echo new >>a", tree.rawValue)
        _ = try sync(program)
        #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
        #expect(try sync(program) == [])
    }

    @Test("deletes only with --delete, only what the source lacks, and never by a link")
    func deletion() throws {
        let program = try Program.with("box")
        let canary = try Canary()
        try Run.shell("mkdir -p \"$1/kept/in\"; cd \"$1\"; echo x >f; mkfifo special", tree.rawValue)
        _ = try sync(program)
        try Run.shell(
            """
            cd "$1"; mkdir -p extra/deep kept/extra; echo x >extra/deep/f; echo x >kept/more; ln -s "$2" away; ln -s "$3" outside
            mkfifo special extra/fifo; mknod extra/null c 1 3
            """, there(program).rawValue, canary.path.rawValue, Scratch.path.rawValue)
        #expect(try sync(program).allSatisfy { !$0.hasPrefix("deleted") })
        #expect(access((there(program) / "extra").rawValue, F_OK) == 0)
        let deleted = try sync(program, "--delete").filter { $0.hasPrefix("deleted") }
        #expect(deleted.contains("deleted: extra") && deleted.contains("deleted: away"), "\(deleted)")
        canary.expectAlive()
        let found = try Run.shell("cd \"$1\"; find . | sort | tr '\\n' ' '", there(program).rawValue)
        #expect(found == ". ./f ./kept ./kept/in ./special ")
        #expect(
            try TreeListing.of(there(program), besides: ["./special"])
                == TreeListing.of(tree, besides: ["./special"]))
        #expect(try sync(program, "-d").filter { !$0.hasPrefix("left out") && !$0.hasPrefix("ing:") } == [])
    }

    @Test("links only to what it has copied itself", .needsProgram("setfattr"))
    func heads() throws {
        let program = try Program.with("box")
        try Run.shell(
            """
            mkdir -p "$1" "$2"; cd "$1"; echo x >a; ln a b; ln a c; mkfifo p; ln p q; ln -s a s; ln s t
            mkfifo "$2/a"; echo stale >"$2/extra"
            """, tree.rawValue, there(program).rawValue)
        for verb in [["copy", "-r"], ["sync"], ["sync", "-c"]] {
            let outcome = try Run.program(
                BuiltBinary.path,
                verb + [tree.rawValue + (verb[0] == "copy" ? "/." : ""), "box:/srv"],
                environment: program.environment)
            #expect(
                outcome.status == .failure && outcome.stderr.contains("1 of the entries")
                    && outcome.stderr.contains("2 left out"), "\(outcome.stderr)")
            #expect(
                try Run.shell(
                    "cd \"$1\"; cat b c; [ b -ef c ] && [ s -ef t ] || stat -c '%n %i' *; stat -c %h a b",
                    there(program).rawValue) == "x\nx\n1\n2\n")
        }
        // What is left out keeps nobody from deleting.
        try Run.shell("rm \"$1/a\"", there(program).rawValue)
        #expect(try sync(program, "--delete").contains("deleted: extra"))
        #expect(
            try Run.shell("cd \"$1\"; [ a -ef b ] && [ b -ef c ]; ls", there(program).rawValue)
                == "a\nb\nc\ns\nt\n")
        #expect(try sync(program).filter { $0.hasPrefix("new") || $0.hasPrefix("changed") } == [])
    }

    @Test(
        "brings attributes and a hole at the end along with content that differs", .needsProgram("setfattr"))
    func wholeContent() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1\"; cd \"$1\"; echo old >f; truncate -s 3M f; setfattr -n user.a -v b f; touch -d @5 f",
            tree.rawValue)
        _ = try sync(program)
        try Run.shell(
            "cd \"$1\"; echo new >f; truncate -s 3M f; setfattr -n user.a -v b f; touch -d @5 f",
            tree.rawValue)
        #expect(try sync(program, "--checksum") == ["changed file: f"])
        #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
    }

    @Test("comes to rest on a disk that keeps whole seconds only", .needsProgram("mkfs.ext4"))
    func wholeSeconds() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir -p \"$1/d\"; cd \"$1\"; echo x >f; echo x >d/g; ln -s f l",
            (program.root(of: "box") / "srv").rawValue)
        let script = """
            mkdir "$1/disk"; truncate -s 4M "$1/image"; mkfs.ext4 -q -I 128 -O ^has_journal "$1/image" 2>/dev/null
            mount -o loop "$1/image" "$1/disk" || exit 77
            cd "$1"; shift; "$@" sync box:/srv disk/srv && "$@" sync -v box:/srv disk/srv
            """
        let words = [
            "-m", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
            BuiltBinary.path,
        ]
        let outcome = try Run.program("unshare", words, environment: program.environment)
        guard outcome.status.code != 77 else { return }
        #expect(
            outcome.status == .success && outcome.stderr.hasSuffix("up to date\n"), "\(outcome.stderr)")
    }

    @Test(
        "leaves what its owner has made immutable as it is, says so and deletes the rest",
        .needsProgram("chattr"))
    func immutable() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir -p \"$1\"; echo x >\"$1/f\"", tree.rawValue)
        _ = try sync(program)
        let place = there(program).rawValue
        try Run.shell(
            """
            cd "$1"; mkdir -p a/in z; echo keep >a/in/i; echo keep >log; echo x >z/more
            chattr +i a/in/i && chattr +a log || { rm -r a log; }
            """, place)
        // Not every file system has such files.
        guard access(place + "/log", F_OK) == 0 else { return }
        defer { _ = try? Run.shell("cd \"$1\"; chattr -i a/in/i; chattr -a log", place) }
        let outcome = try program.run("sync", "--delete", tree.rawValue, "box:/srv")
        #expect(outcome.status == .failure, "\(outcome.stderr)")
        #expect(
            outcome.stderr.contains("a/in/i: Operation not permitted") && outcome.stderr.contains("log: "),
            "\(outcome.stderr)")
        #expect(
            try Run.shell(
                "cd \"$1\"; cat a/in/i log; lsattr a/in/i log | cut -c5,6 | tr '\\n' ' '; ls", place)
                == "keep\nkeep\ni- -a a\nf\nlog\n")
    }

    @Test("never deletes across a mount, nor anything when part of the source cannot be read")
    func mounts() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir -p \"$1/sub\" \"$2/extra\" \"$3\"; echo x >\"$1/f\"; echo alive >\"$3/canary\"",
            tree.rawValue,
            there(program).rawValue, (Scratch.path / "mounted").rawValue)
        let script = """
            mount --bind "$2" "$3"; shift 3; "$@"; echo $?
            """
        func run(bind target: HostPath) throws -> Run.Outcome {
            try Run.program(
                "unshare",
                [
                    "-m", "--propagation", "private", "sh", "-c", script, "sh", "x",
                    (Scratch.path / "mounted").rawValue,
                    target.rawValue, BuiltBinary.path, "sync", "--delete", tree.rawValue, "box:/srv",
                ], environment: program.environment)
        }
        let across = try run(bind: there(program) / "extra")
        #expect(across.stdout == "1\n" && across.stderr.contains("extra"), "\(across.stderr)")
        #expect(
            try Run.shell(
                "cat \"$1/mounted/canary\"; test -d \"$2/extra\"", Scratch.path.rawValue,
                there(program).rawValue) == "alive\n")
        let unread = try run(bind: tree / "sub")
        #expect(unread.stdout == "1\n" && unread.stderr.contains("mounted"), "\(unread.stderr)")
        #expect(
            try Run.shell(
                "test -d \"$1/extra\"; test ! -e \"$1/sub/canary\"; echo ok", there(program).rawValue)
                == "ok\n")
    }

    @Test("lets a file and a directory take each other's place only with --delete")
    func kinds() throws {
        let program = try Program.with("box")
        try Run.shell(
            """
            mkdir -p "$1/d" "$2/f/in"; echo x >"$1/d/inner"; echo x >"$1/f"; echo x >"$2/d"; mkdir "$2/elsewhere"; ln -s elsewhere "$2/l"; mkdir "$1/l"; echo x >"$1/l/inner"
            """, tree.rawValue, there(program).rawValue)
        let outcome = try program.run("sync", tree.rawValue, "box:/srv")
        #expect(
            outcome.status == .failure && outcome.stderr.contains("3 of the entries"), "\(outcome.stderr)")
        #expect(
            try Run.shell(
                "cd \"$1\"; test -f d; test -d f/in; test -L l; ls elsewhere", there(program).rawValue) == "")
        _ = try sync(program, "--delete")
        #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
    }

    @Test("makes no system's root the user's")
    func root() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1\"; echo x >\"$1/f\"; chmod 700 \"$1\"; chown 1000:1000 \"$1\"", tree.rawValue)
        let before = try Run.shell("stat -c '%a %u %g' \"$1\"", program.root(of: "box").rawValue)
        try program.succeed("sync", tree.rawValue, "box:/")
        try program.succeed("copy", "-r", tree.rawValue + "/.", "box:/")
        #expect(
            try Run.shell("stat -c '%a %u %g' \"$1\"; cat \"$1/f\"", program.root(of: "box").rawValue)
                == before + "x\n")
        // From system to system it is part of what is mirrored.
        try program.install("two")
        try Run.shell("chmod 711 \"$1\"", program.root(of: "box").rawValue)
        try program.succeed("sync", "--delete", "box:", "two:")
        #expect(try TreeListing.of(program.root(of: "two")) == TreeListing.of(program.root(of: "box")))
    }

    @Test("syncs one file, and says what it is not for")
    func file() throws {
        let program = try Program.with("box")
        try TestImage.write("one", to: tree)
        try program.succeed("sync", tree.rawValue, "box:/root")
        #expect(try program.succeed("sync", tree.rawValue, "box:/root").stderr.contains("up to date"))
        try program.refuse("sync", "--delete", tree.rawValue, "box:/root", naming: ["--delete"])
        try program.refuse("sync", "box:/etc", tree.rawValue, naming: ["tree"])
    }

    @Test("two at once end with the same tree", .needsProgram("python3"))
    func together() throws {
        let program = try Program.with("box")
        try EveryFile.make(at: tree)
        for _ in 0..<5 {
            try Run.shell("rm -rf \"$1\"", there(program).rawValue)
            let first = try program.start("sync", "-q", "--delete", tree.rawValue, "box:/srv")
            let second = try program.start("sync", "-q", "--delete", tree.rawValue, "box:/srv")
            let outcomes = [try first.finish(), try second.finish()]
            for outcome in outcomes { #expect(outcome.status == .success, "\(outcome.stderr)") }
            #expect(try TreeListing.of(there(program)) == TreeListing.of(tree))
        }
    }
}
