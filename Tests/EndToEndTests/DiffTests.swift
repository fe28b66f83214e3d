import Libc
import Platform
import TestSupport
import Testing

@Suite("diff", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct DiffTests {
    /// A container with a bit of everything in `/srv`.
    static func program() throws -> Program {
        try Program.with("box") { tar in
            tar.addDirectories("srv", "srv/full", "srv/full/below", "srv/other", "srv/none")
            for name in ["one", "two", "full/a", "full/b", "full/below/c", "other/a", "other/b"] {
                tar.add("srv/\(name)", text: "content of \(name)\n")
            }
            tar.add("srv/linked", .hardLink, target: "srv/two")
            tar.add("srv/link", .symbolicLink, target: "one")
            tar.add("srv/null", .characterDevice, device: (1, 3))
            tar.add("srv/marked", text: "marked", mode: 0o600)
        }
    }

    @Test("lists nothing after an installation, a reset, a login and looking at every file")
    func nothing() throws {
        let program = try Self.program()
        #expect(try program.changes() == [])
        let own = ["A /etc/hosts  (by chroot-distro)", "A /etc/resolv.conf  (by chroot-distro)"]
        #expect(try program.changes("--all") == own)
        _ = try program.inside("box", "find /bin /etc /srv -type f -exec cat {} + >/dev/null")
        #expect(try program.changes() == [])
        try program.succeed("reset", "box")
        #expect(try program.changes() == [])
        // Without knowing when it was complete, everything is compared, and comes to the same.
        try Run.shell("rm \"$1/completed\"", program.root(of: "box").parent.rawValue)
        #expect(try program.changes() == [])
    }

    private static let kinds: [(script: String, changes: [String])] = [
        ("echo new >new", ["C /srv  (time)", "A /srv/new"]),
        ("echo more >>one", ["C /srv/one  (content, time)"]),
        (
            "m=$(stat -c %y one); printf CONTENT | dd of=one conv=notrunc 2>/dev/null; touch -d \"$m\" one",
            ["C /srv/one  (content)"]
        ),
        ("chmod 4755 one", ["C /srv/one  (permissions)"]),
        ("chmod 700 full", ["C /srv/full  (permissions)"]),
        ("chown 7:8 one", ["C /srv/one  (owner)"]),
        ("chown -h 7 link", ["C /srv/link  (owner)"]),
        ("touch -d 1999-09-09 one", ["C /srv/one  (time)"]),
        ("setfattr -n user.note -v x one", ["C /srv/one  (attributes)"]),
        ("setfattr -n user.note -v x full", ["C /srv/full  (attributes)"]),
        ("ln one again", ["C /srv  (time)", "A /srv/again", "C /srv/one  (links)"]),
        ("rm linked", ["C /srv  (time)", "D /srv/linked", "C /srv/two  (links)"]),
        ("cp -p two t; mv t linked", ["C /srv  (time)", "C /srv/linked  (links)", "C /srv/two  (links)"]),
        ("rm one; mkdir one; touch one/in", ["C /srv  (time)", "C /srv/one  (type)", "A /srv/one/in"]),
        ("rm -r full; echo >full", ["C /srv  (time)", "C /srv/full  (type)"]),
        ("rm -r full; ln -s one full", ["C /srv  (time)", "C /srv/full  (type)"]),
        ("ln -snf two link", ["C /srv  (time)", "C /srv/link  (content, time)"]),
        (
            "rm null; mknod null c 1 5; touch -d @1700000000 null",
            ["C /srv  (time)", "C /srv/null  (content)"]
        ),
        ("rm -r full", ["C /srv  (time)", "D /srv/full"]),
        (
            "rm -r full; mkdir full; touch -d @1700000000 full",
            ["C /srv  (time)", "D /srv/full/a", "D /srv/full/b", "D /srv/full/below"]
        ),
        (
            "mv full moved",
            [
                "C /srv  (time)", "D /srv/full", "A /srv/moved", "A /srv/moved/a", "A /srv/moved/b",
                "A /srv/moved/below", "A /srv/moved/below/c",
            ]
        ),
        ("mkdir empty", ["C /srv  (time)", "A /srv/empty"]),
        (
            "touch \"$(printf 'a\\nb')\" \"$(printf 'x\\377')\"",
            ["C /srv  (time)", "A /srv/a\\nb", "A /srv/x\\xff"]
        ),
        ("mknod dev b 7 200; mkfifo fifo", ["C /srv  (time)", "A /srv/dev", "A /srv/fifo"]),
        // Changed and put back.
        ("mv full x; mv x full; chmod 0 one; chmod 644 one; ln two x; rm x; touch -d @1700000000 .", []),
    ]

    @Test("lists each kind of change and nothing else", .needsProgram("setfattr"), arguments: kinds.indices)
    func kind(_ index: Int) throws {
        let (script, expected) = Self.kinds[index]
        let program = try Self.program()
        try Run.shell("cd \"$1/srv\"; \(script)", program.root(of: "box").rawValue)
        let said = try program.changes("--verbose")
        #expect(said == expected, "\(script)")
        // The tree that was kept says the same, and so does a look at everything.
        #expect(try program.changes("--verbose") == expected, "\(script)")
        try Run.shell("rm \"$1/completed\"", program.root(of: "box").parent.rawValue)
        #expect(try program.changes("--verbose") == expected, "\(script)")
    }

    @Test("sees what was changed while the clock was behind the installation's")
    func clock() throws {
        let program = try Self.program()
        try Run.shell("echo more >>\"$1/srv/one\"", program.root(of: "box").rawValue)
        // As if all of it had been installed in an hour.
        try Run.shell(
            "read -r s n i b m <\"$1/completed\"; echo $((s + 7200)) $n $i $((b + 3600)) $m >\"$1/completed\"",
            program.root(of: "box").parent.rawValue)
        #expect(try program.changes() == ["C /srv/one"])
    }

    @Test("compares what is below a directory that took another one's place")
    func moved() throws {
        let program = try Program.with("box") { tar in
            tar.addDirectories("srv", "srv/a", "srv/b", "srv/b/deep")
            tar.add("srv/a/file", text: "one way")
            tar.add("srv/b/file", text: "another")
            tar.add("srv/b/deep/same", text: "same")
            tar.addDirectories("srv/a/deep")
            tar.add("srv/a/deep/same", text: "SAME")
        }
        try Run.shell(
            "cd \"$1/srv\"; mv a c; mv b a; mv c b; touch -d @1700000000 .", program.root(of: "box").rawValue)
        #expect(
            try program.changes() == [
                "C /srv/a/deep/same", "C /srv/a/file", "C /srv/b/deep/same", "C /srv/b/file",
            ])
    }

    @Test("needs the layers only once, tells of one that is gone or damaged, and mends what it kept")
    func store() throws {
        let program = try Self.program()
        try Run.shell("echo >\"$1/srv/new\"; rm \"$1/../image.tree\"", program.root(of: "box").rawValue)
        try Run.shell("mv \"$1/cache\" \"$1/away\"", Scratch.path.rawValue)
        let missing = try program.run("diff", "box")
        #expect(
            missing.status == .failure && missing.stderr.contains("not in the image store"),
            "\(missing.stderr)")
        try Run.shell("rm -rf \"$1/cache\"; mv \"$1/away\" \"$1/cache\"", Scratch.path.rawValue)
        let expected = try program.changes()
        #expect(expected.last == "A /srv/new")
        let kept = program.root(of: "box").parent / "image.tree"
        try Run.shell("printf xxxx | dd of=\"$1\" bs=1 seek=300 conv=notrunc 2>/dev/null", kept.rawValue)
        #expect(try program.changes() == expected)
        try program.forgetImages()
        #expect(try program.changes() == expected)
        try Run.shell("rm \"$1\"", kept.rawValue)
        try program.install("other")
        let blobs = Scratch.path / "cache/chroot-distro/blobs/sha256"
        try Run.shell(
            "for f in \"$1\"/*; do case $(od -An -tx1 -N2 $f) in *1f*8b*) printf xxxx | dd of=$f bs=1 seek=900 conv=notrunc; esac; done 2>/dev/null",
            blobs.rawValue)
        try Run.shell("echo >\"$1/srv-new\"; rm \"$1/../image.tree\"", program.root(of: "other").rawValue)
        let damaged = try program.run("diff", "other")
        #expect(damaged.status == .failure && damaged.stderr.contains("layer "), "\(damaged.stderr)")
    }

    @Test(
        "knows from the installation what the image has, and reads the layers only for content that may be the same"
    )
    func recorded() throws {
        let program = try Self.program()
        let root = program.root(of: "box").rawValue
        try Run.shell("mv \"$1/cache\" \"$1/away\"", Scratch.path.rawValue)
        try Run.shell("cd \"$1/srv\"; echo >new; chmod 600 one", root)
        #expect(try program.changes() == ["C /srv", "A /srv/new", "C /srv/one"])
        try Run.shell(
            "cd \"$1/srv\"; rm new; touch -d @7 ..; chmod 644 one; tr a-z b-za <one >../x; touch -r one ../x; cat ../x >one; touch -r ../x one; rm ../x",
            root)
        let missing = try program.run("diff", "box")
        #expect(
            missing.status == .failure && missing.stderr.contains("not in the image store"),
            "\(missing.stderr)")
        try Run.shell("rm -rf \"$1/cache\"; mv \"$1/away\" \"$1/cache\"", Scratch.path.rawValue)
        #expect(try program.changes().contains("C /srv/one"))
    }

    @Test("of a container without an image is refused, and so is one that is not there")
    func noImage() throws {
        let program = Program()
        try program.succeed(
            "install", BusyboxImage.rootfsArchive(in: Scratch.path).rawValue, "--name", "plain")
        try program.refuse("diff", "plain", naming: ["plain", "chroot-distro commit plain"])
        try program.refuse("diff", "nobody", naming: ["nobody"])
    }

    @Test("prints JSON that tells all, and sums")
    func formats() throws {
        let program = try Self.program()
        try Run.shell(
            "cd \"$1/srv\"; printf 12345 >new; rm -r full; chmod 600 one", program.root(of: "box").rawValue)
        let document = try program.succeed("diff", "--json", "box").stdout
        let facts = try Run.succeeding(
            "python3",
            [
                "-c",
                "import json,sys; d=json.load(sys.stdin); print(d['schema'], [(c['change'], c['path'], c['type'], c['size'], c['aspects'], c['own']) for c in d['changes']])",
            ],
            input: Array(document.utf8))
        #expect(
            facts == """
                1 [('changed', '/srv', 'directory', 0, ['time'], False), ('deleted', '/srv/full', 'directory', 0, [], False), \
                ('added', '/srv/new', 'file', 5, [], False), ('changed', '/srv/one', 'file', 15, ['permissions'], False)]

                """)
        #expect(
            try program.succeed("diff", "--stat", "box").stdout
                == "added 1, 5 B\nchanged 2, 15 B\ndeleted 1, 0 B\n")
        #expect(try program.run("diff", "box", "--json").stderr.isEmpty)
    }

    @Test("goes neither through links and mounts nor into what blocks")
    func hostile() throws {
        let program = try Self.program()
        try Run.shell("mkdir \"$1/outside\"", Scratch.path.rawValue)
        let canary = try Canary(in: Scratch.path / "outside")
        let script = """
            cd "$2/srv"; rm one; mkfifo one; rm -r other; ln -s "$1/outside" other; ln -s / loop
            mount --bind "$1/outside" full
            "$3" diff box
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                program.root(of: "box").rawValue, BuiltBinary.path,
            ], environment: program.environment, timeout: 30)
        #expect(
            outcome.stdout == "C /srv\nA /srv/loop\nC /srv/one\nC /srv/other\n",
            "\(outcome.stdout)\(outcome.stderr)")
        canary.expectAlive()
    }

    @Test("sees what a session did, also of a directory 1,000 levels deep")
    func deep() throws {
        let program = try Self.program()
        // The scratch directory's own removal does not go that deep.
        defer { _ = try? program.succeed("remove", "box") }
        try Run.succeeding(
            "python3",
            [
                "-c",
                "import os,sys\nos.chdir(sys.argv[1])\nfor _ in range(1000): os.mkdir('d'); os.chdir('d')",
                program.root(of: "box").rawValue,
            ])
        let changes = try program.changes()
        #expect(changes.count == 1001 && changes[1] == "A /d", "\(changes.count)")
    }
}

extension Program {
    /// The lines of `diff box`.
    func changes(_ flags: String...) throws -> [String] {
        let outcome = try Run.program(BuiltBinary.path, ["diff", "box"] + flags, environment: environment)
        try #require(outcome.status == .success, "\(outcome.stderr)")
        return outcome.lines
    }
}
