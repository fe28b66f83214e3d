import Libc
import Platform
import TestSupport
import Testing

@Suite("commit", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct CommitTests {
    /// Changes of every kind in `/srv` of `DiffTests.program`.
    private static let changes = """
        echo more >>one; chmod 4711 one; chown 5:6 two; ln two new-name; rm linked
        rm -r full; mkdir full; echo in >full/in; rm -r other; echo file >other; rmdir none; ln -s one none
        rm null; mknod null b 7 9; mkfifo fifo; rm link; mkdir link; touch link/x "$(printf 'a\\nb')" "$(printf 'x\\377')"
        truncate -s 3M sparse; printf x | dd of=sparse bs=1 seek=2000000 conv=notrunc 2>/dev/null
        setfattr -n user.note -v 0x00ff01 marked; setfattr -n trusted.t -v t full; setcap cap_net_raw+ep one
        touch -d '1969-01-01 00:00:00.5 UTC' marked; touch -d '2039-12-31 23:59:59.123456789 UTC' full/in
        mkdir -p deep/er/and/deeper; ln full/in deep/er/linked; touch ".hidden" "$(printf '%0200d' 7)"
        """

    private static func changed() throws -> Program {
        let program = try DiffTests.program()
        try Run.shell("cd \"$1/srv\"\n\(changes)", program.root(of: "box").rawValue)
        return program
    }

    @Test(
        "makes an image that installs as the very same tree", .needsProgram("setfattr", "setcap"),
        arguments: ["gzip", "zstd"])
    func roundTrip(_ compression: String) throws {
        let program = try Self.changed()
        try program.succeed("commit", "box", "me/box:new", "--compress", compression)
        try program.succeed("install", "me/box:new", "--name", "copy", "--pull", "never")
        let ours = try TreeListing.of(program.root(of: "box"), besides: ResetTests.fixUps)
        let copy = try TreeListing.of(program.root(of: "copy"), besides: ResetTests.fixUps)
        let difference = Set(ours).symmetricDifference(copy).sorted()
        #expect(difference.isEmpty && ours.count > 20, "\(difference.joined(separator: "\n"))")
        try Run.shell("rm \"$1/completed\"", program.root(of: "copy").parent.rawValue)
        #expect(try program.succeed("diff", "copy").stdout.isEmpty)
        // And again over that, from a container of it.
        try Run.shell("cd \"$1\"; rm -r srv/deep; echo >more", program.root(of: "copy").rawValue)
        try program.succeed("commit", "copy", "me/box:newer")
        try program.succeed("install", "me/box:newer", "--name", "third", "--pull", "never")
        #expect(
            try TreeListing.of(program.root(of: "copy"), besides: ResetTests.fixUps)
                == TreeListing.of(program.root(of: "third"), besides: ResetTests.fixUps))
    }

    @Test(
        "writes what umoci writes of the same changes", .needsProgram("umoci", "skopeo", "setfattr", "setcap")
    )
    func agreesWithUmoci() throws {
        let program = try Self.changed()
        let work = Scratch.path.rawValue
        try program.succeed("commit", "box", "me/box:new")
        let script = """
            cd "$1"
            umoci unpack --image "$1/image-box:latest" bundle
            (cd bundle/rootfs/srv; \(Self.changes))
            umoci repack --image "$1/image-box:latest" bundle
            skopeo copy --quiet "oci:$1/cache/chroot-distro:docker.io/me/box:new" oci:$1/ours:latest
            names() { python3 - "$1" <<'END'
            import json, sys, tarfile
            top = sys.argv[1] + "/blobs/sha256/"
            index = json.load(open(sys.argv[1] + "/index.json"))
            digest = [m for m in index["manifests"] if m.get("annotations", {}).get("org.opencontainers.image.ref.name") == "latest"][0]["digest"]
            manifest = json.load(open(top + digest[7:]))
            for member in tarfile.open(top + manifest["layers"][-1]["digest"][7:], errors="surrogateescape"):
                name = member.name.removeprefix("./").rstrip("/")
                print(ascii(name), "link" if member.islnk() else member.type.decode())
            END
            }
            names "$1/ours" >ours.txt; names "$1/image-box" >theirs.txt
            """
        try Run.shell(script, work)
        let ours = Set(try Run.shell("cat \"$1/ours.txt\"", work).split(separator: "\n"))
        // Nothing needs to be deleted below what is no directory any more.
        let theirs = Set(try Run.shell("cat \"$1/theirs.txt\"", work).split(separator: "\n"))
            .filter { !$0.hasPrefix("'srv/other/.wh.") }
        // One opaque mark for what umoci says with one whiteout each.
        let opaque = ours.filter { $0.contains(".wh..wh..opq") }
        #expect(opaque == ["'srv/full/.wh..wh..opq' 0"], "\(opaque)")
        let spelled = ["a", "b", "below"].map { Substring("'srv/full/.wh.\($0)' 0") }
        let same = ours.subtracting(opaque).union(spelled)
        // Which name of a file is the first is everybody's own choice.
        func names(_ lines: Set<Substring>) -> Set<Substring> {
            Set(lines.map { $0[..<($0.lastIndex(of: " ") ?? $0.endIndex)] })
        }
        let difference = names(same).symmetricDifference(names(theirs)).sorted()
        #expect(difference.isEmpty, "\(difference.joined(separator: "\n"))")
        #expect(theirs.count > 15)
    }

    @Test("gives equal images for equal trees with SOURCE_DATE_EPOCH", .needsProgram("setfattr", "setcap"))
    func reproducible() throws {
        var program = try Self.changed()
        program.environment["SOURCE_DATE_EPOCH"] = "1700000000"
        let first = try program.succeed("commit", "-q", "box", "me/one", "-m", "same")
        usleep(1_100_000)
        let second = try program.succeed("commit", "-q", "box", "me/two", "-m", "same")
        #expect(first.stdout == second.stdout && first.stdout.hasPrefix("sha256:"))
        #expect(first.stderr.isEmpty)
        try program.succeed("install", "me/one", "--name", "copy", "--pull", "never")
        let latest = try Run.shell(
            "find \"$1/srv\" -printf '%T@\\n' | sort -n | tail -1", program.root(of: "copy").rawValue)
        #expect(latest.hasPrefix("1700000000"), "\(latest)")
        program.environment["SOURCE_DATE_EPOCH"] = "yesterday"
        try program.refuse("commit", "box", "me/three", naming: ["yesterday"])
    }

    @Test(
        "records author, message and changes of the settings, which run and other programs read",
        .needsProgram("skopeo"))
    func settings() throws {
        let program = Program()
        try program.install("box", configuration: #"{"Cmd":["/bin/sh"],"Env":["A=1","B=2"]}"#)
        try Run.shell("echo hello >\"$1/hello\"", program.root(of: "box").rawValue)
        try program.succeed(
            "commit", "box", "me/box:1", "-a", "Somebody", "-m", "Say hello", "-c",
            "CMD [\"/bin/cat\",\"/hello\"]",
            "-c", "ENV B=3 C='x y'", "-c", "label a=b", "-c", "WORKDIR /etc", "-c", "USER user", "-c",
            "EXPOSE 80 53/udp")
        let config = try Run.succeeding(
            "skopeo",
            ["inspect", "--config", "oci:\(Scratch.path.rawValue)/cache/chroot-distro:docker.io/me/box:1"])
        for word in [
            "\"Somebody\"", "\"Say hello\"", "\"A=1\"", "\"B=3\"", "\"C=x y\"", "\"/etc\"", "\"80/tcp\"",
            "\"53/udp\"",
        ] {
            #expect(config.contains(word), "\(word)")
        }
        #expect(!config.contains("B=2"))
        try program.succeed("install", "me/box:1", "--name", "said", "--pull", "never")
        #expect(try program.succeed("run", "said").stdout == "hello\n")
        try program.refuse(
            "commit", "box", "me/box@sha256:\(String(repeating: "0", count: 64))", naming: ["digest"])
        for change in ["FROM x", "ENV x", "CMD", "ENV 'a"] {
            #expect(try program.run("commit", "box", "me/x", "-c", change).status != .success, "\(change)")
        }
    }

    @Test("of an unchanged container has no new layer, and of a plain one has all of it")
    func extremes() throws {
        let program = try Program.with("box")
        try program.succeed("commit", "box", "me/same")
        try program.succeed("install", "me/same", "--name", "same", "--pull", "never")
        #expect(
            try Run.shell(
                "grep -o 'tar+gzip' \"$1/manifest.json\" | wc -l", program.root(of: "same").parent.rawValue)
                == "1\n")
        try program.succeed(
            "install", BusyboxImage.rootfsArchive(in: Scratch.path).rawValue, "--name", "plain")
        try program.succeed("commit", "plain", "me/plain")
        try program.succeed("install", "me/plain", "--name", "copy", "--pull", "never")
        #expect(
            try TreeListing.of(program.root(of: "plain"), besides: ResetTests.fixUps)
                == TreeListing.of(program.root(of: "copy"), besides: ResetTests.fixUps))
    }

    @Test("refuses names that hide others, an image whose layers are gone, and a container that is not there")
    func refusals() throws {
        let program = try Program.with("box")
        try Run.shell("touch \"$1/.wh.bin\"", program.root(of: "box").rawValue)
        // What is learnt of the image is kept.
        _ = try program.changes()
        try program.refuse("commit", "box", "me/x", naming: [".wh.bin"])
        try Run.shell("rm \"$1/.wh.bin\"", program.root(of: "box").rawValue)
        try program.refuse("commit", "nobody", "me/x", naming: ["nobody"])
        try program.forgetImages()
        let outcome = try program.run("commit", "box", "me/x")
        #expect(
            outcome.status == .failure && outcome.stderr.contains("not in the image store"),
            "\(outcome.stderr)")
    }

    @Test("takes nothing through links or mounts, whoever swaps directories meanwhile, and waits for no FIFO")
    func hostile() throws {
        let program = try Program.with("box")
        try Run.shell("mkdir \"$1/outside\"; echo TOP-SECRET >\"$1/outside/secret\"", Scratch.path.rawValue)
        let script = """
            cd "$2"; mkdir a b bound; mkfifo pipe; echo mine >a/secret; for i in $(seq 200); do echo $i >b/$i; done
            mount --bind "$1/outside" bound
            (while :; do mv a c; ln -s "$1/outside" a; mkfifo b/0; rm a b/0; mv c a; done) 2>/dev/null &
            racer=$!
            for i in 1 2 3 4 5 6; do "$3" commit -q box me/race:$i || echo failed; done
            kill $racer
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                program.root(of: "box").rawValue, BuiltBinary.path,
            ], environment: program.environment, timeout: 60)
        #expect(
            outcome.lines.count == 6 && !outcome.stdout.contains("failed"),
            "\(outcome.stdout)\(outcome.stderr)")
        let leaked = try Run.shell(
            "for f in \"$1\"/cache/chroot-distro/blobs/sha256/*; do zcat -f $f | grep -a -c TOP-SECRET || :; done | sort -u",
            Scratch.path.rawValue)
        #expect(leaked == "0\n", "\(leaked)")
    }

    @Test("killed at any moment leaves a store in which the next one works")
    func killed() throws {
        let program = try Self.changed()
        try Run.shell("head -c 3M /dev/urandom >\"$1/big\"", program.root(of: "box").rawValue)
        let start = Clock.now
        let digest = try program.succeed("commit", "-q", "box", "me/whole").stdout
        let whole = Clock.now - start
        for attempt in 0..<20 {
            let process = try program.start("commit", "-q", "box", "me/box:\(attempt)")
            usleep(UInt32(Double.random(in: 0...whole * 1.1) * 1e6))
            process.signalGroup(SIGKILL)
            _ = try process.finish()
        }
        let wrong = try Run.shell(
            "cd \"$1/cache/chroot-distro/blobs/sha256\"; for f in *; do [ \"$(sha256sum <$f | cut -c 1-64)\" = $f ] || echo $f; done",
            Scratch.path.rawValue)
        #expect(wrong.isEmpty && digest.hasPrefix("sha256:"))
        try program.succeed("commit", "box", "me/last")
        try program.succeed("install", "me/last", "--name", "copy", "--pull", "never")
        #expect(
            try Run.shell("ls \"$1/cache/chroot-distro/ingest\" | grep -c new- || :", Scratch.path.rawValue)
                == "0\n")
    }

    @Test("fails on a full disk without a trace, and two at once succeed", .needsProgram("mkfs.ext4"))
    func fullDisk() throws {
        let program = try Program.with("box")
        try Run.shell("head -c 9M /dev/urandom >\"$1/big\"", program.root(of: "box").rawValue)
        let script = """
            cache=$1/cache/chroot-distro
            truncate -s 12M "$1/small"; mkfs.ext4 -q -F "$1/small"; mkdir "$1/disk"; mount -o loop "$1/small" "$1/disk"
            cp -a "$cache/." "$1/disk"; mount --bind "$1/disk" "$cache"
            "$2" commit box me/full; echo "status $?"
            ls "$cache/ingest" | grep new-; grep -c me/full "$cache/index.json"
            umount "$cache" "$1/disk"
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                BuiltBinary.path,
            ],
            environment: program.environment)
        #expect(outcome.stdout == "status 1\n0\n", "\(outcome.stdout)\(outcome.stderr)")
        #expect(outcome.stderr.contains("No space left on device"), "\(outcome.stderr)")
        let first = try program.start("commit", "-q", "box", "me/both")
        let second = try program.start("commit", "-q", "box", "me/both")
        #expect(try first.finish(timeout: 60).status == .success)
        #expect(try second.finish(timeout: 60).status == .success)
        try program.succeed("install", "me/both", "--name", "copy", "--pull", "never")
    }

    @Test("writes holes as zeros, but for huge ones, so that other programs can make the layer anew")
    func holes() throws {
        let program = try Program.with("box")
        try Run.shell(
            "cd \"$1\"; truncate -s 3M small; truncate -s 3G huge", program.root(of: "box").rawValue)
        try program.succeed("commit", "box", "me/box")
        let script = """
            import glob, tarfile
            for name in glob.glob(__import__("sys").argv[1] + "/cache/chroot-distro/blobs/sha256/*"):
                try: tar = tarfile.open(name)
                except tarfile.ReadError: continue
                for member in tar:
                    if member.name in ("small", "huge"): print(member.name, "GNU.sparse.major" in member.pax_headers)
            """
        let said = try Run.succeeding("python3", ["-c", script, Scratch.path.rawValue])
        #expect(said == "huge True\nsmall False\n", "\(said)")
        try program.succeed("install", "me/box", "--name", "copy", "--pull", "never")
        let sizes = try Run.shell("cd \"$1\"; stat -c %s small huge", program.root(of: "copy").rawValue)
        #expect(sizes == "\(3 << 20)\n\(3 << 30)\n")
    }

    @Test("that fails leaves nothing in the store, at whatever step")
    func failure() throws {
        let program = try Program.with("box")
        try Run.shell("echo new >\"$1/new\"", program.root(of: "box").rawValue)
        _ = try program.changes()
        let blobs =
            "ls \"$1/cache/chroot-distro/blobs/sha256\" \"$1/cache/chroot-distro/ingest\" | grep -v lock"
        let before = try Run.shell(blobs, Scratch.path.rawValue)
        // A name that cannot be given: the list of names cannot be replaced.
        let script = """
            mount --bind "$1/cache/chroot-distro/index.json" "$1/cache/chroot-distro/index.json"
            "$2" commit box me/box; echo "status $?"
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                BuiltBinary.path,
            ], environment: program.environment)
        #expect(outcome.stdout == "status 1\n", "\(outcome.stdout)\(outcome.stderr)")
        #expect(try Run.shell(blobs, Scratch.path.rawValue) == before)
        try Run.shell(
            "sed -i 's/\"diff_ids\": *\\[[^]]*\\]/\"diff_ids\":[]/' \"$1/manifest.json\"",
            program.root(of: "box").parent.rawValue)
        try program.refuse("commit", "box", "me/box", naming: ["does not say what its layers contain"])
        #expect(try Run.shell(blobs, Scratch.path.rawValue) == before)
    }

    @Test("and image load have all content on the disk before it gets a name", .needsProgram("strace"))
    func durable() throws {
        let program = try Program.with("box")
        try Run.shell("echo new >\"$1/new\"", program.root(of: "box").rawValue)
        try program.succeed("commit", "box", "me/other")
        try program.succeed("image", "save", "me/other", "-o", (Scratch.path / "other.tar").rawValue)
        try program.succeed("clear-cache")
        try program.succeed("image", "load", (Scratch.path / "image-box.tar").rawValue, "--name", "base:1")
        // Else the same second would make the same image.
        try Run.shell("echo more >\"$1/more\"", program.root(of: "box").rawValue)
        for words in [
            ["commit", "box", "me/box"], ["image", "load", (Scratch.path / "other.tar").rawValue],
        ] {
            let known = try Self.blobs()
            let trace = Scratch.path / "trace"
            let outcome = try Run.program(
                "strace",
                [
                    "-f", "-y", "-e", "trace=fsync,fdatasync,syncfs,renameat2,renameat,rename", "-o",
                    trace.rawValue, BuiltBinary.path,
                ] + words, environment: program.environment)
            #expect(outcome.status == .success, "\(outcome.stderr)")
            let lines = try Run.shell("cat \"$1\"", trace.rawValue).split(separator: "\n")
            let naming = try #require(
                lines.firstIndex { $0.contains("rename") && $0.contains("\"index.json\"") })
            let new = try Self.blobs().subtracting(known)
            #expect(new.count >= 2)
            for blob in new {
                let isSynced = lines[..<naming].contains { $0.contains("sync(") && $0.contains(blob) }
                #expect(isSynced, "\(words) \(blob)")
            }
        }
    }

    private static func blobs() throws -> Set<Substring> {
        Set(
            try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue)
                .split(separator: "\n"))
    }

    @Test("says that a running container goes on meanwhile, or lets it stand still")
    func running() throws {
        let program = try Program.with("box")
        let session = try program.start(
            "login", "box", "--", "sh", "-c", "echo >/mine; echo ready; read x; echo on")
        _ = try session.read(until: "ready")
        let outcome = try program.succeed("commit", "box", "me/live")
        #expect(outcome.stdout.hasPrefix("sha256:"))
        #expect(outcome.stderr.contains("stands still") || outcome.stderr.contains("goes on meanwhile"))
        let live = try program.succeed("commit", "--live", "box", "me/other")
        #expect(live.stderr.contains("goes on meanwhile"))
        try session.send("x\n")
        _ = try session.read(until: "on")
        _ = try session.finish()
        try program.succeed("install", "me/live", "--name", "copy", "--pull", "never")
        #expect(access((program.root(of: "copy") / "mine").rawValue, F_OK) == 0)
    }
}
