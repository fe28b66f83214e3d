import Libc
import Platform
import TestSupport
import Testing

@Suite("backup --base", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct IncrementTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    /// A second store, into which backups are restored.
    private func other() -> Program {
        var program = Program(in: Scratch.path)
        program.environment["XDG_DATA_HOME"] = file("other")
        return program
    }

    private func listing(_ data: String, _ name: String = "box") throws -> [Substring] {
        try TreeListing.of(Scratch.path / "\(data)/chroot-distro/containers/\(name)/rootfs")
    }

    /// Restores these into the second store, and expects what is in the first one.
    private func expectSame(_ files: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let outcome = try Run.program(
            BuiltBinary.path, ["restore", "--force"] + files, environment: other().environment)
        try #require(outcome.status == .success, "\(outcome.stderr)", sourceLocation: sourceLocation)
        let (expected, found) = (try listing("data"), try listing("other"))
        let wrong = Set(expected).symmetricDifference(found)
        #expect(wrong.isEmpty, "\(wrong.sorted().prefix(6))", sourceLocation: sourceLocation)
    }

    private func members(_ archive: String) throws -> [Substring] {
        try Run.shell("tar -tf \"$1\" | sort -u", file(archive)).split(separator: "\n")
    }

    private func change(_ program: Program, _ script: String) throws {
        try Run.shell("cd \"$1\"\n" + script, program.root(of: "box").rawValue)
    }

    @Test(
        "holds what was changed and nothing else, and makes the same tree of its base",
        arguments: ["tar", "tar.gz", "tar.zst"])
    func changes(_ suffix: String) throws {
        let program = try Program.with("box")
        try program.diversify("box", huge: "1G")
        try change(
            program,
            """
            cd srv; echo old >same; touch -d 2001-01-01 same; echo 1 >keep; mkdir gone; : >gone/x; echo a >turn
            mkdir sub; echo sub >sub/x; ln sub/x sub/y; echo list >attribute; setfattr -n user.a -v b attribute
            """)
        try program.succeed("backup", "box", "-o", file("full.\(suffix)"))
        try change(
            program,
            """
            cd srv; echo new >same; touch -d 2001-01-01 same; rm -r gone; rm turn; mkdir turn; : >turn/in; mv sub moved
            chmod 600 attribute; setfattr -x user.a attribute; echo added >added; ln added again; rm none/x 2>/dev/null || :
            """)
        try program.succeed(
            "backup", "box", "-o", file("one.\(suffix)"), "--base", file("full.\(suffix)"), "--verify")
        let names = try members("one.\(suffix)")
        for name in ["same", "turn/", "turn/in", "attribute", "added", "again", "moved/x", "moved/y"] {
            #expect(names.contains("box/changes/srv/\(name)"), "\(name)")
        }
        #expect(!names.contains { $0.hasSuffix("keep") || $0.hasSuffix("random") || $0.contains("/etc") })
        #expect(names.contains("box/files") && names.contains("box/increment"))
        try expectSame([file("full.\(suffix)"), file("one.\(suffix)")])
        // Nothing was changed since.
        try program.succeed("backup", "box", "-o", file("two.tar"), "--base", file("one.\(suffix)"))
        #expect(
            try members("two.tar")
                == ["box/changes/", "box/files", "box/increment", "box/manifest.json"])
        try expectSame([file("full.\(suffix)"), file("one.\(suffix)"), file("two.tar")])
    }

    @Test("knows a file again whatever its name and time say")
    func disguises() throws {
        let program = try Program.with("box")
        // Everything is as large and as old as everything else.
        try change(
            program,
            """
            mkdir srv; cd srv; mkdir -p a/deep b/deep c d; for n in a b; do echo $n >$n/f; echo $n >$n/deep/f; done
            echo 1 >c/1; echo 2 >c/2; echo x >d/x; ln d/x d/y; ln d/x c/z; mkdir e; ln d/x e/x
            find . -exec touch -d 2001-01-01 {} +
            """)
        try program.succeed("backup", "box", "-o", file("full.tar"))
        try change(
            program,
            """
            cd srv; mv a t; mv b a; mv t b; mv c/1 t; mv c/2 c/1; mv t c/2; mv d old; mv e d
            find . -exec touch -h -d 2001-01-01 {} +
            """)
        try program.succeed("backup", "box", "-o", file("one.tar"), "--base", file("full.tar"), "--verify")
        try expectSame([file("full.tar"), file("one.tar")])
        #expect(
            try Run.shell(
                "cd \"$1/srv\"; cat a/f a/deep/f c/1 c/2; stat -c %h d/x",
                file("other/chroot-distro/containers/box/rootfs")) == "b\nb\n2\n1\n4\n")
    }

    @Test("of a chain gives back each state, after any changes", .timeLimit(.minutes(4)))
    func chain() throws {
        let program = try Program.with("box")
        let script = Scratch.path / "mutate.py"
        try TestImage.write(Self.mutations, to: script)
        let root = program.root(of: "box").rawValue
        var files = [file("0.tar")]
        let seed = Int.random(in: 0..<1_000_000)
        try Run.succeeding("python3", [script.rawValue, root, "\(seed)", "200"])
        try program.succeed("backup", "box", "-o", files[0])
        for round in 1...6 {
            try Run.succeeding("python3", [script.rawValue, root, "\(seed + round)", "60"])
            let next = file("\(round).tar" + ["", ".gz", ".zst"][round % 3])
            try program.succeed("backup", "box", "-o", next, "--base", files[round - 1], "--verify")
            files.append(next)
            try #require(try listing("data").count > 20)
            try expectSame(files)
        }
        // A whole backup of the same state gives the same.
        try program.succeed("backup", "box", "-o", file("whole.tar"))
        try expectSame([file("whole.tar")])
    }

    /// Makes random changes in `srv` of a tree, with times that tell nothing.
    private static let mutations = """
        import os, random, shutil, stat, sys
        root, seed, count = sys.argv[1] + "/srv", int(sys.argv[2]), int(sys.argv[3])
        random.seed(seed)
        print("seed", seed)
        os.makedirs(root, exist_ok=True)
        def all_paths():
            for top, folders, files in os.walk(os.fsencode(root)):
                for name in folders + files: yield os.path.join(top, name)
        def folders():
            return [os.fsencode(root)] + [p for p in all_paths() if os.path.isdir(p) and not os.path.islink(p)]
        def files():
            return [p for p in all_paths() if os.path.isfile(p) and not os.path.islink(p)]
        def fresh():
            name = random.choice([b"f%d", b"\\xff%d", b"new\\nline%d", b"-%d", b"x" * 150 + b"%d"]) % random.randrange(40)
            return os.path.join(random.choice(folders()), name)
        def some(choice): return random.choice(choice) if choice else None
        def settle(path):
            if random.random() < 0.7: os.utime(path, ns=(10**18, 10**18 + random.choice([0, 5])), follow_symlinks=False)
        def remove(path):
            if os.path.isdir(path) and not os.path.islink(path): shutil.rmtree(path)
            elif os.path.lexists(path): os.unlink(path)
        def write(path):
            with open(path, "wb") as f: f.write(random.randbytes(random.choice([0, 4, 4, 4, 5000])))
        def create():
            p = fresh(); remove(p); write(p); settle(p)
        def rewrite():
            p = some(files())
            if p: write(p); settle(p)
        def sparse():
            p = fresh(); remove(p); write(p); os.truncate(p, 1 << 22); settle(p)
        def folder():
            p = fresh(); remove(p); os.mkdir(p, random.choice([0o755, 0o2750, 0o700])); settle(p)
        def link():
            p, q = some(files()), fresh()
            if p and p != q and not os.path.lexists(q): os.link(p, q)
        def symlink():
            p = fresh(); remove(p); os.symlink(random.choice([b"/etc", b"..", b"nowhere", b"f1"]), p); settle(p)
        def special():
            p = fresh(); remove(p); os.mknod(p, random.choice([stat.S_IFIFO, stat.S_IFCHR]) | 0o600, os.makedev(1, 3))
        def delete():
            p = some(list(all_paths()))
            if p: remove(p)
        def rename():
            p, q = some(list(all_paths())), fresh()
            if p and not q.startswith(p + b"/") and p != q and not p.startswith(q + b"/"):
                remove(q)
                if os.path.lexists(p): os.rename(p, q)
        def swap(choice):
            if len(choice) < 2: return
            p, q = random.sample(choice, 2)
            if p.startswith(q + b"/") or q.startswith(p + b"/"): return
            os.rename(p, p + b".t"); os.rename(q, p); os.rename(p + b".t", q)
        def swap_files(): swap(files())
        def swap_folders(): swap(folders()[1:])
        def mode():
            p = some(list(all_paths()))
            if p and not os.path.islink(p): os.chmod(p, random.choice([0o644, 0o4755, 0o600]))
        def owner():
            p = some(list(all_paths()))
            if p: os.chown(p, random.randrange(3), random.randrange(3), follow_symlinks=False)
        def attribute():
            p = some(files() + folders())
            if p and os.listxattr(p): os.removexattr(p, os.listxattr(p)[0])
            elif p: os.setxattr(p, "user.x", random.randbytes(3))
        def times():
            p = some(list(all_paths()))
            if p: settle(p)
        for _ in range(count):
            random.choice([create, create, create, rewrite, rewrite, sparse, folder, folder, link, link, symlink, special,
                delete, rename, swap_files, swap_folders, mode, owner, attribute, times])()
        """

    @Test("goes through pipes, in and out")
    func pipes() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("full.tar.zst"))
        try change(program, "echo new >new; rm -r root")
        let made = try Run.program(
            "/bin/sh",
            [
                "-c", "cat \"$2\" | \"$1\" backup box --base - -c gzip >\"$3\"", "sh", BuiltBinary.path,
                file("full.tar.zst"), file("one"),
            ], environment: program.environment)
        #expect(made.status == .success, "\(made.stderr)")
        let back = try Run.program(
            "/bin/sh",
            [
                "-c", "cat \"$2\" | \"$1\" restore - \"$3\"", "sh", BuiltBinary.path,
                file("full.tar.zst"), file("one"),
            ], environment: other().environment)
        #expect(back.status == .success, "\(back.stderr)")
        #expect(try listing("data") == listing("other"))
        // As from programs that decrypt them.
        let files = try Run.program(
            "/bin/bash",
            [
                "-c", "\"$1\" restore --force <(cat \"$2\") <(cat \"$3\")", "bash", BuiltBinary.path,
                file("full.tar.zst"), file("one"),
            ], environment: other().environment)
        #expect(files.status == .success, "\(files.stderr)")
        #expect(try listing("data") == listing("other"))
        let twice = try other().run("restore", "-", "-")
        #expect(twice.status != .success && twice.stderr.contains("only once"), "\(twice.stderr)")
    }

    @Test("follows a renamed and reinstalled container only with all its files")
    func anew() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("full.tar"))
        try program.succeed("restore", "--force", file("full.tar"))
        try change(program, "echo new >new")
        let said = try program.succeed("backup", "box", "-o", file("one.tar"), "--base", file("full.tar"))
        #expect(said.stderr.contains("made anew"), "\(said.stderr)")
        #expect(try members("one.tar").contains("box/changes/bin/busybox"))
        try expectSame([file("full.tar"), file("one.tar")])
    }

    @Test("is refused for what is no base, with one clear line and no file")
    func badBases() throws {
        let program = try Program.with("box")
        try program.install("two")
        try program.succeed("backup", "box", "-o", file("full.tar.zst"))
        try program.succeed("backup", "two", "-o", file("two.tar"))
        try Run.shell(
            """
            cd "$1"; head -c 200000 full.tar.zst >cut.tar.zst; head -c 300000 two.tar >cut.tar; : >empty; echo text >text
            tar -cf gnu.tar -C data/chroot-distro/containers box
            """, Scratch.path.rawValue)
        for (base, words) in [
            ("two.tar", ["two.tar", "not of box"]), ("cut.tar.zst", ["cut.tar.zst"]),
            ("cut.tar", ["cut.tar"]),
            ("empty", ["empty"]), ("text", ["text"]), ("gnu.tar", ["gnu.tar", "increment"]),
            ("missing", ["missing"]), (".", [Scratch.path.lastComponent]),
        ] {
            try program.refuse("backup", "box", "-o", file("x.tar"), "--base", file(base), naming: words)
            #expect(access(file("x.tar"), F_OK) != 0)
        }
    }

    @Test("is restored only behind its own base, and in order")
    func wrongChains() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("full.tar"))
        try change(program, "echo 1 >1")
        try program.succeed("backup", "box", "-o", file("one.tar"), "--base", file("full.tar"))
        try change(program, "echo 2 >2")
        try program.succeed("backup", "box", "-o", file("two.tar"), "--base", file("one.tar"))
        try program.succeed("backup", "box", "-o", file("later.tar"))
        try program.succeed("remove", "box")
        try Run.shell("cd \"$1\"; head -c 3000 one.tar >cut.tar", Scratch.path.rawValue)
        for (files, words) in [
            (["one"], ["one.tar", "increment"]), (["full", "two"], ["two.tar", "follow"]),
            (["full", "two", "one"], ["two.tar", "follow"]), (["later", "one"], ["one.tar", "follow"]),
            (["full", "later"], ["later.tar", "no increment"]),
            (["full", "one", "one"], ["one.tar", "follow"]),
            (["full", "cut"], ["cut.tar"]), (["full", "one", "nothing"], ["nothing.tar"]),
        ] {
            let before = try program.snapshot()
            let outcome = try Run.program(
                BuiltBinary.path, ["restore"] + files.map { file($0 + ".tar") },
                environment: program.environment)
            #expect(outcome.status == .failure, "\(files)")
            for word in words { #expect(outcome.stderr.contains(word), "\(files): \(outcome.stderr)") }
            #expect(try program.snapshot() == before)
        }
        try program.refuse("install", file("one.tar"), "--name", "part", naming: ["one.tar", "increment"])
        let whole = try Run.program(
            BuiltBinary.path, ["restore"] + ["full", "one", "two"].map { file($0 + ".tar") },
            environment: program.environment)
        #expect(whole.status == .success, "\(whole.stderr)")
        #expect(try program.inside("box", "cat /1 /2") == "1\n2")
    }

    // MARK: - Faults

    @Test("that is killed leaves no file, and the retry succeeds")
    func killed() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("full.tar.zst"))
        try change(program, "head -c 30000000 /dev/urandom >new.bin")
        for _ in 0..<6 {
            let process = try program.start(
                "backup", "box", "-o", file("one.tar.xz"), "--base", file("full.tar.zst"))
            usleep(UInt32.random(in: 5_000...600_000))
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            #expect(access(file("one.tar.xz"), F_OK) != 0)
        }
        #expect(try Run.shell("ls -A \"$1\" | grep -c -e one -e tmp || :", Scratch.path.rawValue) == "0\n")
        try program.succeed("backup", "box", "-o", file("one.tar"), "--base", file("full.tar.zst"))
        for attempt in 0..<8 {
            let process = try Running.start(
                BuiltBinary.path, ["restore", file("full.tar.zst"), file("one.tar")],
                environment: other().environment)
            usleep(UInt32.random(in: 5_000...500_000))
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            guard try other().names() == ["box"] else { continue }
            #expect(try listing("data") == listing("other"), "attempt \(attempt)")
            try other().succeed("remove", "box")
        }
        try expectSame([file("full.tar.zst"), file("one.tar")])
    }

    @Test("on a full disk leaves no file, and the retry succeeds", .needsProgram("mkfs.ext4"))
    func fullDisk() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("full.tar"))
        try change(program, "head -c 9000000 /dev/urandom >new.bin")
        try Run.shell(
            """
            truncate -s 8M "$1/small.ext4"; mkfs.ext4 -q -F "$1/small.ext4"; mkdir "$1/small"
            mount -o loop "$1/small.ext4" "$1/small"; chmod 755 "$1/small"
            """, Scratch.path.rawValue)
        defer { _ = try? Run.shell("umount \"$1/small\"", Scratch.path.rawValue) }
        try program.refuse(
            "backup", "box", "-o", file("small/one.tar"), "--base", file("full.tar"),
            naming: ["small/one.tar", "No space"])
        #expect(try Run.shell("ls \"$1/small\"", Scratch.path.rawValue) == "lost+found\n")
        try program.succeed("backup", "box", "-o", file("one.tar"), "--base", file("full.tar"))
        try expectSame([file("full.tar"), file("one.tar")])
    }

    // MARK: - Attacks

    /// An index of files as an increment has it, with a directory's or a file's record for each.
    private static func index(_ paths: [(String, Character)]) -> [UInt8] {
        paths.reduce(Array("chroot-distro files 1\n".utf8)) { bytes, entry in
            let path = Array(entry.0.utf8)
            return bytes + [0, UInt8(path.count)] + path + [2] + Array("\(entry.1)0".utf8)
        }
    }

    @Test("does nothing outside, whatever an increment says")
    func hostile() throws {
        let canary = try Canary()
        let outside = Scratch.path.rawValue
        var base = TarBuilder()
        base.addDirectories("box/rootfs", "box/rootfs/etc", "box/rootfs/usr")
        base.add("box/rootfs/out", .symbolicLink, target: outside)
        base.add("box/rootfs/usr/up", .symbolicLink, target: "../../../../../../..")
        try TestImage.write(base.archive, to: Scratch.path / "base.tar")
        let record = "{\"schema\":1,\"base\":\"sha256:\(try TestImage.digest(of: base.archive))\"}"
        let all: [(String, Character)] = [
            ("", "d"), ("etc", "d"), ("out", "l"), ("usr", "d"), ("usr/up", "l"),
        ]
        let cases: [(String, [UInt8], (inout TarBuilder) -> Void)] = [
            ("all is gone", Self.index([("", "d")]), { _ in }),
            ("not even a root", Self.index([]), { _ in }),
            ("climbing names", Self.index([("", "d"), ("../canary", "f"), ("out", "d")]), { _ in }),
            ("absolute names", Self.index([("", "d"), ("/\(outside)/canary", "f")]), { _ in }),
            ("behind a link", Self.index([("", "d"), ("out", "d"), ("out/other", "f")]), { _ in }),
            ("damaged", Self.index(all).dropLast(3) + [], { _ in }),
            (
                "endless",
                Array("chroot-distro files 1\n".utf8) + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                { _ in }
            ),
            ("no index", Array("text".utf8), { _ in }),
            ("written behind a link", Self.index(all), { $0.add("box/changes/out/canary", text: "evil") }),
            (
                "written above", Self.index(all),
                {
                    $0.add("box/changes/../../../../..\(outside)/canary", text: "evil")
                    $0.add("box/changes/usr/up\(outside)/canary", text: "evil")
                    $0.add("\(outside)/canary", text: "evil")
                }
            ),
            (
                "linked", Self.index(all),
                {
                    $0.add("box/changes/hard", .hardLink, target: "\(outside)/canary")
                }
            ),
            (
                "linked behind a link", Self.index(all),
                { $0.add("box/changes/hard", .hardLink, target: "box/changes/out/canary") }
            ),
            (
                "the root is a link", Self.index(all),
                { $0.add("box/changes", .symbolicLink, target: outside) }
            ),
        ]
        for (name, index, add) in cases {
            let program = Program(in: Scratch.path / "store-\(name.split(separator: " ").joined())")
            var tar = TarBuilder()
            tar.add("box/increment", text: record)
            tar.addDirectories("box/changes")
            add(&tar)
            tar.add("box/files", content: index)
            try TestImage.write(tar.archive, to: Scratch.path / "evil.tar")
            let outcome = try Run.program(
                BuiltBinary.path, ["restore", file("base.tar"), file("evil.tar")],
                environment: program.environment)
            // What is written behind a link is written inside, and listed nowhere.
            let isFine = ["all is gone", "written behind a link"].contains(name)
            #expect(outcome.status == (isFine ? .success : .failure), "\(name): \(outcome.stderr)")
            #expect(outcome.stderr.filter { $0 == "\n" }.count < 6, "\(name): \(outcome.stderr)")
            if outcome.status == .failure { #expect(try program.names() == [], "\(name)") }
            canary.expectAlive()
        }
        // The same base is none for an increment of ours.
        let program = try Program.with("box")
        try program.refuse(
            "backup", "box", "-o", file("x.tar"), "--base", file("base.tar"),
            naming: ["base.tar", "increment"])
        let forged = Scratch.path / "forged.tar"
        var tar = TarBuilder()
        tar.add("box/increment", text: record)
        tar.add("box/files", content: Self.index([("", "d"), ("b", "f"), ("a", "f")]))
        try TestImage.write(tar.archive, to: forged)
        try program.refuse(
            "backup", "box", "-o", file("x.tar"), "--base", forged.rawValue, naming: ["forged.tar"])
        canary.expectAlive()
    }
}
