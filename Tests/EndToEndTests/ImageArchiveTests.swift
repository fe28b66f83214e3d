import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "Archives of images", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsProgram("skopeo", "python3")
)
struct ImageArchiveTests {
    @Test("are read by skopeo in both forms, and by the program itself", arguments: ["oci", "docker"])
    func saved(_ form: String) throws {
        let rig = try ImageRig(layers: [ImageRig.noise(1)])
        try rig.program.succeed("image", "tag", "box:1", "ghcr.io/team/two:2")
        let file = rig.path("saved.tar")
        try rig.program.succeed("image", "save", "box:1", "ghcr.io/team/two:2", "--format", form, "-o", file)
        let source =
            form == "oci"
            ? "oci-archive:\(file):docker.io/library/box:1" : "docker-archive:\(file):ghcr.io/team/two:2"
        try Run.succeeding("skopeo", ["--insecure-policy", "copy", source, "dir:\(rig.path("copy"))"])
        if form == "oci" { #expect(try rig.inspect(source) == rig.digest("box:1")) }
        let id = try rig.program.succeed("image", "ls").lines.map { $0.split(separator: " ")[2] }
        try Run.succeeding("rm", ["-r", rig.path("cache")])
        try rig.program.succeed("image", "load", "-i", file)
        #expect(
            try rig.program.succeed("image", "ls", "-q").lines.sorted() == ["box:1", "ghcr.io/team/two:2"])
        #expect(try rig.program.succeed("image", "ls").lines.map { $0.split(separator: " ")[2] } == id)
        #expect(try rig.blobsAreWhole())
        try rig.program.succeed("install", "box:1", "--pull", "never")
        #expect(try rig.program.inside("box", "stat -c %s /srv/noise") == "1048576")
    }

    @Test(
        "of skopeo are loaded, from a file and from a pipe, compressed or not",
        arguments: ["docker-archive", "oci-archive"])
    func loaded(_ kind: String) throws {
        let rig = try ImageRig()
        let file = rig.path("theirs.tar")
        try Run.succeeding(
            "skopeo",
            [
                "--insecure-policy", "copy", "oci:\(rig.path("busybox")):latest",
                "\(kind):\(file):docker.io/library/theirs:3",
            ])
        try rig.program.succeed("image", "load", file)
        try rig.program.succeed("image", "rm", "theirs:3")
        let packed = try Run.program("gzip", ["-c", file]).output
        try rig.program.succeed("image", "load", input: packed)
        #expect(try rig.program.succeed("image", "ls", "-q").lines.contains("theirs:3"))
    }

    @Test("may be the directory of a layout, of which all or nothing is taken")
    func directory() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(1)])
        let digest = try rig.digest("box:1")
        try rig.program.succeed("clear-cache")
        try rig.program.succeed("image", "load", rig.path("busybox"), "--name", "from:layout")
        #expect(try rig.digest("from:layout") == digest)
        #expect(try rig.blobsAreWhole())
        try rig.program.succeed("install", "from:layout", "--pull", "never")
        #expect(try rig.program.inside("from", "stat -c %s /srv/noise") == "1048576")
        try rig.program.succeed("remove", "from")
        try rig.program.succeed("clear-cache")
        try Run.shell("rm \"$(ls -S \"$1\"/busybox/blobs/sha256/* | head -1)\"", Scratch.path.rawValue)
        try rig.program.refuse("image", "load", rig.path("busybox"), naming: ["lacks"])
        try rig.program.refuse("image", "load", Scratch.path.rawValue, naming: ["oci-layout"])
        #expect(try Run.shell("find \"$1/cache/chroot-distro/blobs\" -type f", Scratch.path.rawValue).isEmpty)
    }

    @Test("go to a pipe or to a new file, never to a terminal or over another file")
    func places() throws {
        let rig = try ImageRig()
        let piped = try rig.program.succeed("image", "save", "box:1")
        try TestImage.write(piped.output, to: Scratch.path / "piped.tar")
        #expect(try rig.inspect("oci-archive:\(rig.path("piped.tar"))") == rig.digest("box:1"))
        try rig.program.refuse("image", "save", "box:1", "-o", rig.path("piped.tar"), naming: ["piped.tar"])
        try rig.program.refuse("image", "save", "box:1", "-o", rig.path("no/such/place"), naming: ["no/such"])
        var terminal = try rig.program.onTerminal("image", "save", "box:1")
        #expect(try terminal.finish() == .failure)
        #expect(terminal.text.contains("is a terminal"))
        let outcome = try rig.program.run("image", "save", "nothing", "-o", rig.path("none.tar"))
        #expect(outcome.status == .failure && access(rig.path("none.tar"), F_OK) != 0)
    }

    @Test("of a store that is damaged are not written")
    func damaged() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(1)])
        let blob = try Run.shell(
            "ls -S \"$1\"/cache/chroot-distro/blobs/sha256/* | head -1", Scratch.path.rawValue
        ).trimmed
        try Run.shell("printf XXXX | dd of=\"$1\" bs=1 seek=90000 conv=notrunc status=none", blob)
        let outcome = try rig.program.run("image", "save", "box:1", "-o", rig.path("bad.tar"))
        #expect(outcome.status == .failure && outcome.stderr.contains("damaged"))
        #expect(
            try Run.shell("ls -A \"$1\" | grep -e bad.tar -e .tmp || true", Scratch.path.rawValue).isEmpty)
    }

    @Test("that take a name from another image are refused, unless that is wanted")
    func names() throws {
        let rig = try ImageRig()
        let other = try TestImage(
            at: Scratch.path / "other", layers: [ImageRig.noise(1)], tag: "docker.io/library/box:1")
        let file = Scratch.path / "other.tar"
        try other.pack(as: file)
        let before = try rig.digest("box:1")
        try rig.program.refuse("image", "load", file.rawValue, naming: ["box:1", "--replace"])
        #expect(try rig.digest("box:1") == before)
        #expect(try Run.shell("find \"$1/cache\" -size +1000k", Scratch.path.rawValue).isEmpty == false)
        try rig.program.succeed("image", "load", file.rawValue, "--name", "third:3")
        try rig.program.succeed("image", "load", file.rawValue, "--replace")
        #expect(try rig.digest("box:1") == rig.digest("third:3"))
    }

    @Test(
        "that lie, lack something or are no archives are refused, and nothing of them stays", arguments: cases
    )
    func hostile(_ name: String, _ script: String, _ words: String) throws {
        let rig = try ImageRig(layers: [ImageRig.noise(1)])
        try rig.program.succeed("image", "rm", "box:1")
        let before = try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue)
        try Run.succeeding("python3", ["-c", Self.maker + script, rig.path("busybox"), rig.path("bad.tar")])
        try rig.program.refuse("image", "load", rig.path("bad.tar"), naming: [words])
        let after = try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue)
        #expect(after == before)
        #expect(
            try Run.shell(
                "ls \"$1/cache/chroot-distro/ingest\" | grep -v lock || true", Scratch.path.rawValue
            ).isEmpty)
    }

    /// Writes an archive of the layout `argv[1]` to `argv[2]`, with what a case makes of it.
    private static let maker = """
        import hashlib, io, json, os, sys, tarfile
        layout, target = sys.argv[1:]
        files = {}
        for folder, _, names in os.walk(layout):
            for name in names:
                path = os.path.join(folder, name)
                files[os.path.relpath(path, layout)] = open(path, "rb").read()
        index = json.loads(files["index.json"])
        def blob(data, kind):
            if not isinstance(data, bytes): data = json.dumps(data).encode()
            digest = hashlib.sha256(data).hexdigest()
            files["blobs/sha256/" + digest] = data
            return {"mediaType": "application/vnd.oci.image." + kind + ".v1+json", "digest": "sha256:" + digest, "size": len(data)}
        def load(descriptor): return json.loads(files["blobs/sha256/" + descriptor["digest"][7:]])
        manifest = load(index["manifests"][0])
        def largest(): return max((n for n in files if n.startswith("blobs/")), key=lambda n: len(files[n]))
        def save():
            with tarfile.open(target, "w") as tar:
                for name, data in files.items():
                    info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
        def set_manifest(value):
            entry = blob(value, "manifest"); entry["annotations"] = {"org.opencontainers.image.ref.name": "evil:1"}
            index["manifests"] = [entry]; files["index.json"] = json.dumps(index).encode(); save()

        """

    private static let cases: [(String, String, String)] = [
        ("a forged layer", "n = largest(); files[n] = files[n][:-1] + b'X'; save()", "sha256:"),
        ("a short layer", "n = largest(); files[n] = files[n][:-100]; save()", "sha256:"),
        ("a missing layer", "del files[largest()]; save()", "lacks"),
        (
            "a layer that is to be fetched elsewhere",
            "manifest['layers'][0] = dict(manifest['layers'][0], digest='sha256:' + '1' * 64, mediaType='application/vnd.oci.image.layer.nondistributable.v1.tar', urls=['http://127.0.0.1:1/x']); set_manifest(manifest)",
            "is not done"
        ),
        ("layers of the wrong type", "manifest['layers'] = 'many'; set_manifest(manifest)", "layers"),
        ("a size that is negative", "manifest['config']['size'] = -5; set_manifest(manifest)", "config.size"),
        (
            "a config of the wrong type",
            "manifest['config'] = blob([1, 2], 'config'); set_manifest(manifest)", "config"
        ),
        (
            "a manifest of seventeen megabytes",
            "manifest['annotations'] = {'x': 'y' * (17 << 20)}; set_manifest(manifest)", "MiB"
        ),
        (
            "a config that is nested too deeply",
            "manifest['config'] = blob(b'{\"x\":' + b'[' * 300 + b']' * 300 + b'}', 'config'); set_manifest(manifest)",
            "config"
        ),
        ("ten thousand layers", "manifest['layers'] *= 10000; set_manifest(manifest)", "more than 1000"),
        (
            "an index in an index in an index",
            "e = blob(manifest, 'manifest')\\nfor _ in range(9): e = blob({'schemaVersion': 2, 'manifests': [e]}, 'index')\\nindex['manifests'] = [e]; files['index.json'] = json.dumps(index).encode(); save()"
                .replacing("\\n", with: "\n"), "too deep"
        ),
        (
            "a document that never ends",
            "files['index.json'] = b'[' * 1000000; save()", "index.json"
        ),
        (
            "no image", "index['manifests'] = []; files['index.json'] = json.dumps(index).encode(); save()",
            "no image"
        ),
        ("no archive", "open(target, 'w').write('hello')", ""),
        ("an empty file", "open(target, 'w')", ""),
    ]

    @Test("are whole or not there at all when the command is killed")
    func killed() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(8)])
        let file = rig.path("saved.tar")
        var saving = try KillingMoments { try rig.program.succeed("image", "save", "box:1", "-o", file) }
        try Run.succeeding("rm", [file])
        while saving.wantsMore(than: 12) {
            let process = try rig.program.start("image", "save", "box:1", "-o", file)
            saving.pass()
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            saving.note(done: access(file, F_OK) == 0)
            guard access(file, F_OK) == 0 else { continue }
            #expect(try rig.inspect("oci-archive:\(file)") == rig.digest("box:1"))
            try Run.succeeding("rm", [file])
        }
        #expect(try Run.shell("ls -A \"$1\" | grep tmp || true", Scratch.path.rawValue).isEmpty)
        try rig.program.succeed("image", "save", "box:1", "-o", file)
        try rig.program.succeed("clear-cache")
        var loading = try KillingMoments { try rig.program.succeed("image", "load", file) }
        try rig.program.succeed("image", "rm", "box:1")
        while loading.wantsMore(than: 12) {
            let process = try rig.program.start("image", "load", file)
            loading.pass()
            process.signalGroup(SIGKILL)
            _ = try process.finish()
            let names = try rig.program.succeed("image", "ls", "-q").lines
            #expect(names.isEmpty || names == ["box:1"])
            loading.note(done: !names.isEmpty)
            if !names.isEmpty { try rig.program.succeed("image", "rm", "box:1") }
        }
        #expect(saving.hitBothSides && loading.hitBothSides)
        try rig.program.succeed("image", "load", file)
        #expect(try rig.blobsAreWhole())
        try rig.program.succeed("image", "rm", "box:1")
        try rig.program.succeed("image", "prune")
        #expect(try Run.shell("ls \"$1/cache/chroot-distro/blobs/sha256\"", Scratch.path.rawValue).isEmpty)
    }

    @Test("that do not fit on the disk leave nothing of themselves", .needsProgram("unshare"))
    func fullDisk() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(8)])
        try Run.succeeding("mkdir", [rig.path("small")])
        // What is mounted is gone with its namespace, whatever happens.
        let script = """
            mount -t tmpfs -o size=5m none "$1/small"
            "$2" image save box:1 -o "$1/small/saved.tar" && exit 3
            ls -A "$1/small"
            XDG_CACHE_HOME="$1/small" "$2" image load "$1/box.tar" && exit 4
            find "$1/small" -type f -size +0 ! -name '*.json' ! -name oci-layout
            """
        let outcome = try Run.program(
            "unshare", ["-m", "/bin/sh", "-c", script, "sh", Scratch.path.rawValue, BuiltBinary.path],
            environment: rig.program.environment)
        #expect(outcome.status == .success && outcome.stdout.isEmpty, "\(outcome.stdout)\(outcome.stderr)")
        #expect(
            outcome.stderr.split(separator: "\n").count { $0.hasPrefix("Error:") } == 2, "\(outcome.stderr)")
    }
}
