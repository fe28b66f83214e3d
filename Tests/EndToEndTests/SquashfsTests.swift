import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "Squashfs", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("mksquashfs", "unsquashfs", "setfattr", "getfattr"))
struct SquashfsTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    @Test("a container goes into an image and comes out as it was", arguments: ["zstd", "gzip", "lzo"])
    func roundTrip(_ format: String) throws {
        let program = try Program.with("box")
        // Squashfs has whole seconds up to 2106 only.
        try Run.shell(
            """
            cd "$1"; mkdir srv; cd srv; printf text >f; ln f g; chown 12:34 f; chmod 4751 f; ln -s nowhere s; mkfifo p
            mknod c c 1 3; mkdir -m 2750 d; setfattr -n user.note -v kept f; truncate -s 50M hole; : >"$(printf 'new\\nline')"
            find "$1" -exec touch -h -d 2020-02-02 {} +
            """, program.root(of: "box").rawValue)
        let before = try program.description(of: "box")
        try program.succeed("export", "box", "-o", file("box.sqsh"), "-c", format)
        try program.succeed("install", file("box.sqsh"), "--name", "again")
        let after = try program.description(of: "again")
        func settled(_ text: String) -> [Substring] {
            // What the program writes itself, and the digest of all files, which it is in.
            text.split(separator: "\n").filter { !$0.hasPrefix("./etc") && !$0.hasSuffix("  -") }
        }
        #expect(settled(before).count > 20)
        #expect(settled(after) == settled(before))
        #expect(try program.inside("again", "cat /srv/g") == "text")
    }

    @Test(
        "images as enroot makes them are installed", arguments: ["-comp lzo -noD", "-comp gzip", "-comp xz"])
    func enroot(_ options: String) throws {
        let program = Program()
        let plain = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try Run.shell(
            """
            mkdir "$2/tree"; tar -C "$2/tree" -xf "$1"
            mksquashfs "$2/tree" "$2/enroot.sqsh" -all-root -quiet -no-progress \(options) >/dev/null
            """, plain.rawValue, Scratch.path.rawValue)
        try program.succeed("install", file("enroot.sqsh"))
        #expect(try program.names() == ["enroot"])
        #expect(try program.inside("enroot", "echo in") == "in")
    }

    @Test("what is damaged, holds no system or is there already changes nothing")
    func refusals() throws {
        let program = try Program.with("box")
        try program.succeed("export", "box", "-o", file("box.sqsh"))
        try program.refuse("export", "box", "-o", file("box.sqsh"), naming: ["box.sqsh", "exists"])
        try Run.shell(
            """
            cd "$1"; head -c 5000 box.sqsh >cut.sqsh; mkdir none; : >none/x
            mksquashfs none none.sqsh -quiet -no-progress >/dev/null
            """, Scratch.path.rawValue)
        try program.refuse("install", file("cut.sqsh"), naming: ["unsquashfs"])
        try program.refuse("install", file("none.sqsh"), naming: ["none.sqsh"])
        #expect(try program.names() == ["box"])
    }

    @Test("holds nothing of the host, however the guest moves its links meanwhile")
    func swappedLinks() throws {
        let program = try Program.with("box")
        let root = program.root(of: "box").rawValue
        try Run.shell(
            """
            mkdir "$2/host"; echo canary >"$2/host/secret"; cd "$1"; mkdir -p srv/b srv/real
            head -c 20000000 /dev/urandom >srv/a; echo guest >srv/b/secret; echo guest >srv/real/secret
            """, root, Scratch.path.rawValue)
        // Directory and link change places all the time.
        let swapping = try Running.start(
            "python3",
            [
                "-c",
                """
                import os, sys, time
                os.chdir(sys.argv[1]); os.symlink(sys.argv[2], "link")
                while True:
                    os.rename("b", "t"); os.rename("link", "b"); time.sleep(0.004)
                    os.rename("b", "link"); os.rename("t", "b"); time.sleep(0.004)
                """, root + "/srv", file("host"),
            ], environment: program.environment)
        defer { swapping.signalGroup(SIGKILL) }
        for attempt in 0..<8 {
            let outcome = try program.run(
                "export", "box", "--live", "-o", file("\(attempt).sqsh"), "-c", "lzo")
            guard outcome.status == .success else { continue }
            let found = try Run.shell(
                "cd \"$1\"; rm -rf out; unsquashfs -d out -quiet -no-progress \(attempt).sqsh >&2; find out/srv -name secret -type f -exec cat {} +",
                Scratch.path.rawValue)
            #expect(!found.contains("canary"), "\(found)")
        }
    }

    @Test("is not given a name that somebody took meanwhile")
    func taken() throws {
        let program = try Program.with("box")
        try Run.shell("head -c 30000000 /dev/urandom >\"$1/big\"", program.root(of: "box").rawValue)
        let process = try program.start("export", "box", "-c", "xz", "-o", file("box.sqsh"))
        usleep(400_000)
        try TestImage.write("mine", to: Scratch.path / "box.sqsh")
        let outcome = try process.finish()
        #expect(outcome.status == .failure && outcome.stderr.contains("box.sqsh exists"), "\(outcome.stderr)")
        #expect(try Run.succeeding("cat", [file("box.sqsh")]) == "mine")
    }

    @Test("leaves out what is mounted, and takes what lies below")
    func mounted() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1/mnt\" \"$2/other\"; echo below >\"$1/mnt/below\"; echo x >\"$2/other/x\"; mount --bind \"$2/other\" \"$1/mnt\"",
            program.root(of: "box").rawValue, Scratch.path.rawValue)
        defer { _ = try? Run.shell("umount \"$1/mnt\"", program.root(of: "box").rawValue) }
        try program.succeed("export", "box", "-o", file("box.sqsh"))
        let names = try Run.succeeding("unsquashfs", ["-l", file("box.sqsh")])
        #expect(names.contains("/mnt/below\n") && !names.contains("/mnt/x"), "\(names)")
    }

    @Test("a missing program is named with its package")
    func missing() throws {
        let program = try Program.with("box")
        // Where the program is, nothing is, in a mount namespace of its own.
        let outcome = try Run.program(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c",
                "mount --bind /dev/null \"$(command -v mksquashfs)\" && exec \"$0\" export box -o \"$1\"",
                BuiltBinary.path, file("x.sqsh"),
            ], environment: program.environment.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 })
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("squashfs-tools"), "\(outcome.stderr)")
        #expect(access(file("x.sqsh"), F_OK) != 0)
    }
}
