import Libc
import Platform
import TestSupport
import Testing

@Suite("reset", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct ResetTests {
    @Test("makes a container what it was after its installation, without a network or the archive")
    func fresh() throws {
        let program = try Program.with("box") { $0.add("etc/kept", text: "kept") }
        try Run.shell("rm \"$1\"/*.tar", Scratch.path.rawValue)
        let root = program.root(of: "box")
        let before = try TreeListing.of(root, besides: Self.fixUps)
        _ = try program.inside("box", "rm -rf /etc/kept /usr; echo more >/root/new; chmod 700 /etc")
        try program.succeed("reset", "box")
        let after = try TreeListing.of(root, besides: Self.fixUps)
        #expect(after == before)
        #expect(try program.inside("box", "cat /etc/kept; ls /root") == "kept")
    }

    /// What the program itself writes into a root file system.
    static let fixUps = [".", "./etc", "./etc/hosts", "./etc/resolv.conf"]

    @Test("keeps name, place in the list, settings, logs and ids")
    func survivors() throws {
        let program = try Program.with("box")
        try program.succeed("run", "-d", "box", "--", "/bin/sh", "-c", "echo said")
        try program.succeed("login", "--isolated", "box", "--", "true")
        let folder = program.root(of: "box").parent.rawValue
        let facts = """
            cd "$1" && cat manifest.json detached.json && cut -d' ' -f1,2 ids
            grep -c . output.log; [ "$(cut -d' ' -f3 ids)" = "$(stat -c %i .)" ] && echo own
            """
        let listed = try program.succeed("list", "--json").stdout
        let before = try Run.shell(facts, folder)
        try program.succeed("reset", "box")
        #expect(try Run.shell(facts, folder) == before)
        #expect(before.hasSuffix("own\n"))
        let keys = ["installed", "name", "image"]
        let kept = listed.split(separator: "\n").filter { line in keys.contains { line.contains("\"\($0)\"") }
        }
        let again = try program.succeed("list", "--json").stdout.split(separator: "\n")
        #expect(kept.allSatisfy { again.contains($0) } && kept.count >= 2, "\(kept) \(again)")
    }

    @Test("refuses a container that runs, names the command that stops it, and with --force stops it itself")
    func running() throws {
        let program = try Program.with("box")
        let session = try program.start("login", "box", "--", "sh", "-c", "echo >/mark; echo ready; cat")
        _ = try session.read(until: "ready")
        try program.refuse("reset", "box", naming: ["box", "chroot-distro unmount box"])
        try program.succeed("reset", "--force", "box")
        #expect(try session.finish(timeout: 10).status != .success)
        #expect(access((program.root(of: "box") / "mark").rawValue, F_OK) != 0)
    }

    @Test("refuses what was made of a plain archive, and what was made of one whose image is gone")
    func noSource() throws {
        let program = try Program.with("box")
        try program.succeed(
            "install", BusyboxImage.rootfsArchive(in: Scratch.path).rawValue, "--name", "plain")
        try program.refuse("reset", "plain", naming: ["plain", "not made of an image"])
        try program.forgetImages()
        try program.refuse("reset", "box", naming: ["box", "not in the image store any more"])
        try program.refuse("reset", "nobody", naming: ["nobody"])
        #expect(try program.inside("box", "echo alive") == "alive")
    }

    @Test("fetches the image again when the store has lost it", .needsProgram("docker-registry", "skopeo"))
    func registry() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "team/box:1")
            try program.succeed("install", "\(registry.address)/team/box:1")
            _ = try program.inside("box", "rm -r /usr")
            try program.forgetImages()
            try program.succeed("reset", "box")
            #expect(try program.inside("box", "ls -d /usr") == "/usr")
        }
        // Without the registry the store has to do, and without both the container stays as it is.
        try program.succeed("reset", "box")
        try program.forgetImages()
        try program.refuse("reset", "box", naming: ["localhost"])
        #expect(try program.inside("box", "ls -d /usr") == "/usr")
    }

    @Test(
        "asks for the very image that the container was made of, and takes another one only when told",
        .needsProgram("docker-registry", "skopeo"))
    func movedName() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path) { $0.add("etc/which", text: "first") }
        let other = try BusyboxImage.layout(in: Scratch.path, name: "other") {
            $0.add("etc/which", text: "other")
        }
        try Registry.with(in: Scratch.path) { registry in
            let name = "\(registry.address)/team/box:1"
            try registry.push(image.layout, as: "team/box:1")
            try program.succeed("install", name)
            try registry.push(other.layout, as: "team/box:1")
            try program.forgetImages()
            let missing = try program.run("diff", "box")
            if missing.status != .success { #expect(missing.stderr.contains("box:1@sha256:")) }
            try program.succeed("reset", "box")
            #expect(try program.inside("box", "cat /etc/which") == "first")
            #expect(try program.succeed("list").stdout.contains("team/box:1"))
            // Also with the other one in the store, under the name.
            try program.forgetImages()
            try program.succeed("pull", name)
            try program.succeed("reset", "box")
            #expect(try program.inside("box", "cat /etc/which") == "first")
            try program.succeed("reset", "--update", "box")
            #expect(try program.inside("box", "cat /etc/which") == "other")
        }
    }

    @Test(
        "never takes a stranger's image for one that was committed or came out of a file",
        .needsProgram("docker-registry", "skopeo"))
    func stranger() throws {
        let program = try Program.with("box")
        let other = try BusyboxImage.layout(in: Scratch.path, name: "other") { $0.add("etc/evil", text: "x") }
        try Registry.with(in: Scratch.path) { registry in
            let name = "\(registry.address)/app:1"
            try Run.shell("echo mine >\"$1/mine\"", program.root(of: "box").rawValue)
            try program.succeed("commit", "box", name)
            try program.succeed("install", name, "--name", "mine", "--pull", "never")
            try program.forgetImages()
            try registry.push(other.layout, as: "app:1")
            try program.refuse("reset", "mine", naming: ["mine", "another image", "--update"])
            #expect(try program.inside("mine", "cat /mine; ls /etc/evil 2>/dev/null || true") == "mine")
        }
    }

    @Test("killed at any moment leaves the old root or the new one, and the next command sweeps the other")
    func killed() throws {
        let program = Program()
        var upper = TarBuilder()
        for number in 0..<400 {
            upper.add("srv/\(number)", text: String(repeating: "\(number) ", count: 200))
        }
        try program.install("box", layers: [upper.archive])
        var moments = try KillingMoments { try program.succeed("reset", "box") }
        let root = program.root(of: "box").rawValue
        while moments.wantsMore(than: 20) {
            try Run.shell("echo old >\"$1/mark\"; rm -f \"$1/srv/7\"", root)
            let process = try program.start("reset", "box")
            moments.pass()
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            #expect(try program.names() == ["box"])
            let isOld = access(root + "/mark", F_OK) == 0
            moments.note(done: !isOld)
            let count = try program.inside("box", "ls /srv | wc -l")
            #expect(count == (isOld ? "399" : "400"), "old: \(isOld)")
        }
        try program.succeed("reset", "box")
        #expect(moments.hitBothSides)
        let debris = try Run.shell(
            "find \"$1\" \\( -name '.tmp-*' -o -path '*/trash/*' -o -path '*/staging/*' \\) | head",
            Scratch.path.rawValue)
        #expect(debris.isEmpty, "\(debris)")
    }

    @Test("leaves the old root alone on a full disk", .needsDisk("ext4"))
    func fullDisk() throws {
        var program = Program()
        var upper = TarBuilder()
        upper.add("srv/big", content: (0..<(6 << 20)).map { _ in UInt8.random(in: 0 ... .max) })
        let image = try BusyboxImage.layout(in: Scratch.path, layers: [upper.archive])
        let disk = Scratch.path / "disk"
        let script = """
            truncate -s 24M "$1.ext4"; mkfs.ext4 -q -F "$1.ext4"; mkdir "$1"; mount -o loop "$1.ext4" "$1"
            "$2" install "$3" --name box && echo mine >"$4/mark" || exit 9
            head -c 6M /dev/urandom >"$4/root/more"
            "$2" reset box; echo "status $?"
            cat "$4/mark"; ls "$4/srv"; "$2" list -q; ls "$1/chroot-distro/staging" "$1/chroot-distro/trash"
            rm "$4/root/more"; "$2" reset box; echo "status $?"; [ -e "$4/mark" ] || echo fresh
            umount "$1"
            """
        program.environment["XDG_DATA_HOME"] = disk.rawValue
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", disk.rawValue,
                BuiltBinary.path, image.layout.rawValue,
                (disk / "chroot-distro/containers/box/rootfs").rawValue,
            ], environment: program.environment)
        let said = outcome.stdout
        #expect(said.contains("status 1\nmine\nbig\nbox\n"), "\(said)\n\(outcome.stderr)")
        #expect(said.contains("status 0\nfresh\n"), "\(said)\n\(outcome.stderr)")
        #expect(outcome.stderr.contains("No space left on device"), "\(outcome.stderr)")
    }

    @Test("touches nothing behind a mount that somebody put into the tree")
    func foreignMount() throws {
        let program = try Program.with("box")
        try Run.shell(
            "mkdir \"$1/outside\"; mkdir -p \"$2/mnt\"", Scratch.path.rawValue,
            program.root(of: "box").rawValue)
        let canary = try Canary(in: Scratch.path / "outside")
        let script = """
            mount --bind "$1/outside" "$2/mnt"
            "$3" reset box; echo "status $?"
            "$3" reset --force box; echo "status $?"
            ls "$1/outside"; ls "$2/bin/busybox"
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                program.root(of: "box").rawValue, BuiltBinary.path,
            ], environment: program.environment)
        #expect(
            outcome.stdout.hasPrefix("status 1\nstatus 1\ncanary\n/"), "\(outcome.stdout) \(outcome.stderr)")
        #expect(outcome.stderr.contains("/mnt"))
        canary.expectAlive()
    }

    @Test("of one container by two commands at once leaves it whole")
    func together() throws {
        let program = try Program.with("box") { tar in
            for number in 0..<300 { tar.add("srv-\(number)", text: "x") }
        }
        let first = try program.start("reset", "box")
        let second = try program.start("reset", "box")
        let outcomes = [try first.finish(timeout: 60), try second.finish(timeout: 60)]
        #expect(outcomes.contains { $0.status == .success })
        for outcome in outcomes where outcome.status != .success {
            #expect(outcome.stderr.contains("in use by reset"), "\(outcome.stderr)")
        }
        #expect(try program.inside("box", "ls / | grep -c srv-") == "300")
    }
}
