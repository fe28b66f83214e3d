import Libc
import Platform
import TestSupport
import Testing

@Suite("restore", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct RestoreTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    /// An archive that `script` makes in a directory with a busybox system in `tree`.
    private func archive(_ script: String, as name: String = "made.tar") throws -> String {
        let plain = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "plain.tar")
        try Run.shell(
            """
            mkdir -p "$1/made/tree"; tar -C "$1/made/tree" -xf "$2"; cd "$1/made"; out="$3"
            """ + "\n" + script, Scratch.path.rawValue, plain.rawValue, file(name))
        return file(name)
    }

    @Test(
        "takes what GNU tar makes of the container's directory, with or without its own entry",
        arguments: [
            "tar -czf \"$out\" box", "tar -cf \"$out\" box/manifest.json box/rootfs",
            "tar -cJf \"$out\" ./box",
            "tar --format=gnu -cf \"$out\" box/rootfs", "tar --format=ustar -cf \"$out\" box/rootfs",
            "bsdtar -cf \"$out\" --format pax box", "bsdtar --zstd -cf \"$out\" box",
        ])
    func gnuTar(_ command: String) throws {
        let program = Program()
        let path = try archive(
            """
            mkdir box; mv tree box/rootfs; echo '{"image_ref":"debian:12","arch":"x86_64"}' >box/manifest.json
            echo text >box/rootfs/srv.a; ln box/rootfs/srv.a box/rootfs/srv.b; chown 5:6 box/rootfs/srv.a
            touch -d '2001-02-03 04:05:06' box/rootfs/srv.a box/rootfs/etc
            """ + "\n" + command)
        try program.succeed("restore", path)
        let root = program.root(of: "box").rawValue
        #expect(
            try Run.shell("cd \"$1\"; stat -c '%u:%g %h %Y' srv.a; stat -c %Y etc", root)
                == "5:6 2 981173106\n981173106\n")
        #expect(try program.inside("box", "cat /srv.b") == "text")
        #expect(
            try Run.shell("ls \"$1/../manifest.json\" 2>/dev/null | wc -l", root)
                == (command.hasSuffix("box/rootfs") && !command.contains("manifest") ? "0\n" : "1\n"))
    }

    @Test("makes hard links of those that proot has emulated, wherever it kept their files")
    func emulated() throws {
        let program = Program()
        let old = "/data/data/com.termux/files/usr/var/lib/proot-distro/installed-rootfs/box"
        let path = try archive(
            """
            mkdir -p installed-rootfs proot-distro; echo 'DISTRO_NAME=x' >proot-distro/box.sh; mv tree installed-rootfs/box
            cd installed-rootfs/box; mkdir .l2s opt
            echo one >.l2s/.l2s.perl0001.0002; chmod 751 .l2s/.l2s.perl0001.0002
            ln -s \(old)/.l2s/.l2s.perl0001.0002 .l2s/.l2s.perl0001
            ln -s \(old)/.l2s/.l2s.perl0001 bin/perl; ln -s \(old)/.l2s/.l2s.perl0001 bin/perl5
            echo two >opt/.proot.l2s.x0001.0002; ln -s .proot.l2s.x0001.0002 opt/.proot.l2s.x0001
            ln -s .proot.l2s.x0001 opt/x; ln -s .proot.l2s.x0001 opt/y
            ln -s \(old)/.l2s/.l2s.gone0001 opt/broken; ln -s .l2s.evil0001 opt/evil; ln -s /etc/passwd opt/.l2s.evil0001
            touch -h -d 2001-01-01 opt bin; cd ../..; tar -cf "$out" proot-distro/box.sh installed-rootfs/box
            """)
        let said = try program.succeed("restore", path).stderr
        let root = program.root(of: "box").rawValue
        let found = try Run.shell(
            """
            cd "$1"; [ bin/perl -ef bin/perl5 ] && [ ! -L bin/perl ] && stat -c '%h %a' bin/perl; cat bin/perl
            [ opt/x -ef opt/y ] && stat -c %h opt/x; ls -A opt; ls -d .l2s 2>/dev/null || echo tidy; stat -c %Y bin
            """, root)
        #expect(found == "2 751\none\n2\nbroken\nevil\nx\ny\ntidy\n978307200\n")
        #expect(said.contains("lead nowhere"), "\(said)")
    }

    @Test("refuses a container that is there, unless it is forced")
    func existing() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("box.tar"))
        try Run.shell("echo mine >\"$1/mine\"", program.root(of: "box").rawValue)
        try program.refuse("restore", file("box.tar"), naming: ["box", "--force"])
        #expect(access((program.root(of: "box") / "mine").rawValue, F_OK) == 0)
        let session = try program.start("login", "box", "--", "sleep", "600")
        defer { session.signalGroup(SIGKILL) }
        try program.succeed("restore", "--force", file("box.tar"))
        #expect(access((program.root(of: "box") / "mine").rawValue, F_OK) != 0)
        #expect(try program.inside("box", "echo in") == "in")
    }

    @Test(
        "takes nothing that is not a backup of one container",
        arguments: [
            "tar -C tree -cf \"$out\" .", "tar -C tree -cf \"$out\" bin etc", "echo hello >\"$out\"",
            ": >\"$out\"",
            "mkdir -p a/rootfs b/rootfs; tar -cf \"$out\" a/rootfs b/rootfs",
            "mkdir -p a/etc; tar -cf \"$out\" a",
            "mkdir -p .hidden; mv tree .hidden/rootfs; tar -cf \"$out\" .hidden",
            "mkdir box; mv tree box/rootfs; echo '{' >box/manifest.json; tar -cf \"$out\" box",
            "mkdir box; mv tree box/rootfs; tar -cf - box | head -c 300000 >\"$out\"",
            "mkdir box; mv tree box/rootfs; tar -czf - box | head -c 200000 >\"$out\"",
        ])
    func notABackup(_ script: String) throws {
        let program = try Program.with("before")
        let path = try archive(script, as: "thing.tar")
        try program.refuse("restore", path, naming: ["thing.tar"])
        #expect(try program.names() == ["before"])
    }

    @Test("is not led outside by hostile members")
    func hostile() throws {
        let canary = try Canary()
        let outside = Scratch.path.rawValue
        var cases: [(String, (inout TarBuilder) -> Void)] = [
            (
                "absolute",
                {
                    $0.add("/box/rootfs/ok", text: "fine"); $0.add("\(outside)/canary", text: "evil")
                }
            ),
            (
                "parent is a link",
                { tar in
                    tar.add("box/rootfs/out", .symbolicLink, target: outside)
                    tar.add("box/rootfs/out/canary", text: "evil")
                }
            ),
            ("hard link out", { $0.add("box/rootfs/hard", .hardLink, target: "\(outside)/canary") }),
            (
                "manifest is a link",
                { $0.add("box/manifest.json", .symbolicLink, target: "\(outside)/canary") }
            ),
            ("root is a link", { $0.add("box/rootfs", .symbolicLink, target: outside) }),
        ]
        for (count, climb) in Attack.climbs().enumerated() {
            cases.append(("climbing \(count)", { $0.add("box/rootfs/\(climb)canary", text: "evil") }))
            cases.append(
                (
                    "climbing to the top \(count)",
                    { $0.add("box/rootfs/\(climb)\(outside)/canary", text: "evil") }
                ))
            let add: (inout TarBuilder) -> Void = { tar in
                tar.add("box/rootfs/up", .symbolicLink, target: climb)
                tar.add("box/rootfs/up/canary", text: "evil")
                tar.add("box/rootfs/up\(outside)/canary", text: "evil")
            }
            cases.append(("link above the root \(count)", add))
            cases.append(
                (
                    "hard link climbing \(count)",
                    { $0.add("box/rootfs/hard", .hardLink, target: "box/rootfs/\(climb)canary") }
                ))
        }
        for (name, add) in cases {
            let program = Program(in: Scratch.path / "store-\(name.split(separator: " ").joined())")
            var tar = TarBuilder()
            tar.addDirectories("box/rootfs", "box/rootfs/etc")
            add(&tar)
            let path = Scratch.path / "evil.tar"
            try TestImage.write(tar.archive, to: path)
            _ = try program.run("restore", path.rawValue)
            _ = try program.run("remove", "box")
            canary.expectAlive()
        }
    }

    @Test(
        "a full disk leaves nothing, of a backup or of a container, and the retry succeeds",
        .needsDisk("ext4"))
    func fullDisk() throws {
        let program = try Program.with("box") {
            $0.add("srv/big", content: (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })
        }
        try program.succeed("backup", "box", "-o", file("box.tar"))
        let script = """
            truncate -s 12M "$1/small.ext4"; mkfs.ext4 -q -F "$1/small.ext4"; mkdir "$1/small"
            mount -o loop "$1/small.ext4" "$1/small" || exit 9; chmod 755 "$1/small"
            "$2" backup box -o "$1/small/box.tar"; echo "backup: $?"; ls "$1/small"
            export XDG_DATA_HOME="$1/small/data"
            "$2" restore "$1/box.tar"; echo "restore: $?"; "$2" list --quiet
            find "$1/small/data" -path '*/staging/*' -o -path '*/trash/*' -o -path '*/containers/*' | wc -l
            """
        let full = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                BuiltBinary.path,
            ], environment: program.environment)
        #expect(full.stdout == "backup: 1\nlost+found\nrestore: 1\n0\n", "\(full.stdout)\(full.stderr)")
        let errors = full.stderr.split(separator: "\n").filter { $0.hasPrefix("Error:") }
        #expect(errors.count == 2 && errors.allSatisfy { $0.contains("No space") }, "\(full.stderr)")
        // With more room, the same two succeed.
        try program.succeed("backup", "box", "-c", "zstd", "-o", file("again.tar.zst"))
        try program.succeed("remove", "box")
        try program.succeed("restore", file("again.tar.zst"))
        #expect(try program.inside("box", "stat -c %s /srv/big") == "9000000")
    }

    @Test("that is killed leaves a container whole or not at all, and the retry succeeds")
    func killed() throws {
        let program = try Program.with("box")
        try Run.shell(
            "cd \"$1\"; mkdir srv; i=0; while [ $i -lt 800 ]; do head -c 20000 /dev/urandom >srv/$i; i=$((i+1)); done",
            program.root(of: "box").rawValue)
        try program.succeed("backup", "box", "-o", file("box.tar.zst"))
        try program.succeed("remove", "box")
        var moments = try KillingMoments { try program.succeed("restore", file("box.tar.zst")) }
        try program.succeed("remove", "box")
        while moments.wantsMore(than: 20) {
            let process = try program.start("restore", file("box.tar.zst"))
            moments.pass()
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            let names = try program.names()
            moments.note(done: names == ["box"])
            #expect(names.isEmpty || names == ["box"])
            guard !names.isEmpty else { continue }
            #expect(try program.inside("box", "ls /srv | wc -l") == "800")
            try program.succeed("remove", "box")
        }
        #expect(moments.hitBothSides)
        try program.succeed("restore", file("box.tar.zst"))
        #expect(try program.inside("box", "ls /srv | wc -l") == "800")
        let debris = try Run.shell(
            "find \"$1/data\" -mindepth 3 \\( -path '*/staging/*' -o -path '*/trash/*' \\) | wc -l",
            Scratch.path.rawValue)
        #expect(debris == "0\n")
    }

    @Test("a backup is a source for install, under any name")
    func install() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("box.tar.zst"))
        try program.succeed("install", file("box.tar.zst"), "--name", "copy")
        #expect(try program.names() == ["box", "copy"])
        #expect(try program.inside("copy", "echo in") == "in")
    }

    @Test("refuses a name that is taken at once, however long a pipe stays open")
    func slowPipe() throws {
        let program = try Program.with("box")
        try program.succeed("backup", "box", "-o", file("box.tar"))
        let start = Timestamp.now
        let outcome = try Run.program(
            "/bin/bash",
            [
                "-c", "exec \"$1\" restore < <(cat \"$2\"; exec sleep 20 2>/dev/null)", "bash",
                BuiltBinary.path,
                file("box.tar"),
            ],
            environment: program.environment)
        #expect(outcome.status == .failure && outcome.stderr.contains("exists already"), "\(outcome.stderr)")
        #expect(Timestamp.now.seconds - start.seconds < 10)
    }
}
