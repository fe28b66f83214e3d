import Libc
import Platform
import TestSupport
import Testing

@Suite("Images", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsProgram("python3"))
struct ImageTests {
    @Test("are listed by name, platform, ID and size, in a table, in words and in JSON")
    func listing() throws {
        let rig = try ImageRig()
        try rig.program.succeed("image", "tag", "box:1", "ghcr.io/team/box:2")
        let table = try rig.program.succeed("image", "ls")
        #expect(table.lines.count == 3 && table.lines[0].hasPrefix("IMAGE"))
        #expect(table.stdout.contains("ghcr.io/team/box:2") && table.stdout.contains("linux/"))
        for words in [["image", "ls", "-q"], ["images", "-q"], ["list", "--image", "-q"]] {
            let outcome = try Run.program(BuiltBinary.path, words, environment: rig.program.environment)
            #expect(outcome.lines.sorted() == ["box:1", "ghcr.io/team/box:2"], "\(words)")
        }
        #expect(try rig.digest("box:1") == rig.digest("ghcr.io/team/box:2"))
        try Run.succeeding("rm", ["-r", rig.path("cache")])
        #expect(try rig.program.succeed("image", "ls").stderr.contains("No images"))
        #expect(try rig.program.succeed("image", "ls", "--json").stdout.contains("\"images\" : ["))
    }

    @Test("have their names read by anybody, who is not asked to become root", .needsProgram("setpriv"))
    func unprivileged() throws {
        let rig = try ImageRig()
        let copy = Scratch.path / "program"
        try Run.shell(
            "cp \"$1\" \"$2\"; chmod 755 \"$3\"", BuiltBinary.path, copy.rawValue, Scratch.path.rawValue)
        let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", copy.rawValue]
        let outcome = try Run.program(
            "setpriv", nobody + ["list", "--image"], environment: rig.program.environment)
        #expect(outcome.status == .success && outcome.stdout.contains("box:1"), "\(outcome.stderr)")
        let refused = try Run.program(
            "setpriv", nobody + ["--no-elevate", "image", "rm", "box:1"], environment: rig.program.environment
        )
        #expect(refused.status == .failure)
        #expect(try rig.program.succeed("image", "ls", "-q").lines == ["box:1"])
    }

    @Test("show how they are started and what made them; what a terminal would obey is escaped")
    func inspection() throws {
        let rig = try ImageRig(
            configuration: #"{"Cmd":["a\u001b[31mb\u009b1m\u202e"],"Labels":{"x\u0007":"y"}}"#)
        for words in [
            ["image", "inspect", "box:1"], ["image", "history", "box:1"], ["image", "files", "box:1"],
        ] {
            let outcome = try Run.program(BuiltBinary.path, words, environment: rig.program.environment)
            #expect(outcome.status == .success, "\(outcome.stderr)")
            let text = outcome.stdout.unicodeScalars
            #expect(
                !text.contains {
                    $0.value < 10 || (11..<32).contains($0.value) || (127..<160).contains($0.value)
                })
            #expect(!text.contains { $0.value == 0x202e })
        }
        #expect(try rig.program.succeed("image", "inspect", "box:1").stdout.contains("\\u001b[31m"))
        // A name that no program of ours would have written.
        try Run.shell(
            "sed -i 's,docker.io/library/box:1,e\\\\u001b[31mvil,' \"$1/cache/chroot-distro/index.json\"",
            Scratch.path.rawValue)
        let listed = try rig.program.succeed("image", "ls").stdout
        #expect(listed.contains("vil") && !listed.contains("\u{1b}"))
    }

    @Test("hold files, which are listed as they would be, and layer by layer")
    func files() throws {
        var upper = TarBuilder()
        upper.add("etc/new\u{1b}[31m", text: "x")
        upper.add("bin/.wh.sh", text: "")
        upper.add("home/.wh..wh..opq", text: "")
        let rig = try ImageRig(layers: [upper.archive])
        let all = try rig.program.succeed("image", "files", "box:1", "-q").lines
        #expect(all.contains("/bin/busybox") && !all.contains("/bin/sh") && !all.contains("/home/user"))
        #expect(all.contains { $0.hasPrefix("/etc/new") } && all.contains("/home"))
        let top = try rig.program.succeed("image", "files", "box:1", "--layer", "2")
        #expect(
            top.lines.count == 4 && top.stdout.contains("/bin/sh (removed)")
                && top.stdout.contains("/home/ (emptied)"))
        #expect(
            try rig.program.succeed("image", "files", "box:1", "-l", "1", "--json").stdout.contains(
                "\"symlink\""))
        try rig.program.refuse("image", "files", "box:1", "--layer", "3", naming: ["box:1", "3"])
    }

    @Test("are unpacked as they are installed, to a place of their own")
    func unpacking() throws {
        let rig = try ImageRig()
        try rig.program.succeed("image", "unpack", "box:1", "-o", rig.path("tree"))
        try rig.program.succeed("install", rig.archive.rawValue, "--name", "box")
        let difference = try Run.program(
            "diff", ["-r", "--no-dereference", rig.path("tree"), rig.program.root(of: "box").rawValue])
        // What an installation adds is all that differs.
        #expect(difference.lines.allSatisfy { $0.contains("/etc") }, "\(difference.stdout)")
        try rig.program.refuse("image", "unpack", "box:1", "-o", rig.path("tree"), naming: ["tree"])
        let damaged = try Run.shell(
            "ls -S \"$1\"/cache/chroot-distro/blobs/sha256/* | head -1", Scratch.path.rawValue
        ).trimmed
        try Run.shell("printf XXXX | dd of=\"$1\" bs=1 seek=4000 conv=notrunc status=none", damaged)
        let outcome = try rig.program.run("image", "unpack", "box:1", "-o", rig.path("other"))
        #expect(outcome.status == .failure && outcome.stderr.contains("damaged"), "\(outcome.stderr)")
        #expect(
            try Run.shell("ls -A \"$1\" | grep -e other -e unpack || true", Scratch.path.rawValue).isEmpty)
    }

    @Test("what a killed unpacking left is removed by the next one for the same place, and nothing else is")
    func debris() throws {
        let rig = try ImageRig()
        try Run.shell(
            "cd \"$1\"; mkdir -p .tree.unpack-1/rootfs/a .tree.unpack-2 .tree.unpack-x .other.unpack-3",
            Scratch.path.rawValue)
        let holder = try Running.start(
            "flock", [rig.path(".tree.unpack-2"), "sh", "-c", "echo held; read line"])
        _ = try holder.read(until: "held")
        try rig.program.succeed("image", "unpack", "box:1", "-o", rig.path("tree"))
        let left = try Run.shell("ls -A \"$1\" | grep unpack", Scratch.path.rawValue)
        #expect(left == ".other.unpack-3\n.tree.unpack-2\n.tree.unpack-x\n")
        _ = try holder.finish(input: Array("\n".utf8))
    }

    @Test("are removed by name, by ID and by remove --image, and nothing that they share goes")
    func removal() throws {
        let rig = try ImageRig()
        try rig.program.succeed("image", "tag", "box:1", "two:1")
        try rig.program.succeed("image", "rm", "box:1")
        try rig.program.succeed("install", "two:1", "--pull", "never")
        try rig.program.refuse("image", "rm", "box:1", naming: ["box:1"])
        #expect(try rig.program.run("image", "rm", "tow:1").stderr.contains("Did you mean two:1?"))
        let id = try rig.program.succeed("image", "ls").lines[1].split(separator: " ")[2]
        try rig.program.succeed("remove", "--image", String(id))
        #expect(try rig.program.succeed("image", "ls", "-q").lines.isEmpty)
        #expect(try rig.program.inside("two", "echo still here") == "still here")
        // The container can be made anew of it, and gives it back when it goes.
        try rig.program.succeed("reset", "two")
        try rig.program.succeed("remove", "two")
        try rig.program.succeed("image", "prune")
        #expect(try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue).isEmpty)
    }

    @Test("usage and pruning tell the same bytes; what a container was made of is kept if that is wanted")
    func pruning() throws {
        let rig = try ImageRig()
        let other = try TestImage(at: Scratch.path / "other", layers: [ImageRig.noise(1)])
        try other.pack(as: Scratch.path / "other.tar")
        try rig.program.succeed("image", "load", rig.path("other.tar"), "--name", "unused:1")
        try rig.program.succeed("install", "box:1", "--pull", "never")
        try Run.shell(
            "head -c 100000 /dev/zero > \"$1/cache/chroot-distro/blobs/sha256/$(printf %064d 1)\"",
            Scratch.path.rawValue)
        #expect(try rig.program.succeed("image", "du").stdout.contains("in 1 files"))
        #expect(
            try rig.program.succeed("image", "prune", "-v").stderr.contains(
                String(repeating: "0", count: 63) + "1"))
        #expect(try rig.program.succeed("image", "du", "--json").stdout.contains("\"orphans\""))
        try rig.program.succeed("image", "prune", "--all")
        #expect(try rig.program.succeed("image", "ls", "-q").lines == ["box:1"])
        // A container can be made anew offline even when its tag has gone on.
        try rig.program.succeed("image", "load", rig.path("other.tar"), "--name", "box:1", "--replace")
        try rig.program.succeed("image", "prune")
        try rig.program.succeed("reset", "box")
        try rig.program.succeed("clear-cache")
        #expect(try rig.program.succeed("image", "ls", "-q").lines.isEmpty)
        #expect(try rig.program.inside("box", "echo alive") == "alive")
        #expect(try rig.program.run("clear-cache", "--keep", "2G").stderr.contains("--build-cache"))
        #expect(try rig.program.succeed("cl", "--build-cache", "--keep", "2G").stderr.contains("Freed 0 B"))
    }

    @Test(
        "what a container was made of outlives its name and every image that shares it",
        arguments: [
            ["image", "prune", "--all"], ["image", "rm", "app:1"], ["clear-cache", "--orphan"],
            ["cl", "--build-cache"],
        ])
    func sharedBase(_ words: [String]) throws {
        let rig = try ImageRig()
        try rig.program.succeed("install", "box:1", "--pull", "never", "--name", "box")
        try rig.program.succeed("commit", "box", "app:1", "-c", "USER user")
        let other = try TestImage(at: Scratch.path / "other", layers: [ImageRig.noise(1)])
        try other.pack(as: Scratch.path / "other.tar")
        try rig.program.succeed("image", "load", rig.path("other.tar"), "--name", "box:1", "--replace")
        let outcome = try Run.program(BuiltBinary.path, words, environment: rig.program.environment)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        try rig.program.succeed("commit", "box", "again:1")
        try rig.program.succeed("reset", "box")
        // Nobody can tell what a container needs whose record cannot be read.
        try Run.shell(
            "echo broken >\"$1/manifest.json\"", rig.program.root(of: "box").parent.rawValue)
        let before = try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue)
        try rig.program.refuse("image", "prune", "--all", naming: ["container box", "Nothing was removed"])
        try rig.program.refuse("image", "rm", "again:1", naming: ["container box"])
        #expect(try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue) == before)
    }

    @Test("what the Python program left in the cache goes, too, and nothing else does")
    func leftovers() throws {
        let rig = try ImageRig()
        try Run.shell(
            """
            cd "$1/cache/chroot-distro"; mkdir -p oci_layers build-run-cache/a/b mine
            echo x > oci_layers/sha256_1; echo y > build-run-cache/a/b/c; echo z > build_cache_index.json
            """, Scratch.path.rawValue)
        try rig.program.succeed("clear-cache", "--build-cache")
        let cache = "\(Scratch.path)/cache/chroot-distro"
        #expect(try Run.shell("ls \"$1\"", cache).contains("oci_layers"))
        #expect(try !Run.shell("ls \"$1\"", cache).contains("build"))
        try rig.program.succeed("clear-cache")
        let rest = try Run.shell("ls \"$1\"", cache)
        #expect(!rest.contains("oci_layers") && rest.contains("mine"))
    }

    @Test(
        "downloads that somebody is at keep their notes, and the others go with theirs",
        arguments: [["clear-cache"], ["image", "prune"]])
    func downloads(_ words: [String]) throws {
        let rig = try ImageRig()
        let cache = rig.path("cache/chroot-distro")
        try Run.shell(
            "cd \"$1\"; touch url_1.part url_1.json url_2.part url_2.json url_3.json mine.part", cache)
        let holder = try Running.start("flock", [cache + "/url_1.part", "sh", "-c", "echo held; read line"])
        _ = try holder.read(until: "held")
        let outcome = try Run.program(BuiltBinary.path, words, environment: rig.program.environment)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        let left = try Run.shell("cd \"$1\"; ls url_* *.part | sort -u", cache)
        #expect(left == "mine.part\nurl_1.json\nurl_1.part\n")
        _ = try holder.finish(input: Array("\n".utf8))
    }

    @Test("nothing is cleared while another command uses the store")
    func inUse() throws {
        let rig = try ImageRig()
        let holder = try Running.start(
            "/bin/sh",
            [
                "-c", "exec 9<\"$1\"; flock -s 9; echo held; read line", "sh",
                "\(Scratch.path)/cache/chroot-distro/ingest/use.lock",
            ])
        _ = try holder.read(until: "held")
        for words in [["clear-cache"], ["image", "prune"], ["cl", "--orphan"], ["image", "rm", "box:1"]] {
            let outcome = try Run.program(BuiltBinary.path, words, environment: rig.program.environment)
            #expect(
                outcome.status == .failure && outcome.stderr.contains("in use")
                    || outcome.stderr.contains("using"), "\(outcome.stderr)")
        }
        #expect(try rig.program.succeed("image", "ls", "-q").lines == ["box:1"])
        _ = try holder.finish(input: Array("\n".utf8))
        try rig.program.succeed("clear-cache")
    }
}
