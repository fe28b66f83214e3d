import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "push", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("docker-registry", "skopeo", "python3"))
struct PushTests {
    @Test("what arrives is read by skopeo and umoci, and pulled by the program with the same digest")
    func peers() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(2)])
        try Registry.with(in: Scratch.path) { registry in
            let reference = "\(registry.address)/team/box:1"
            let outcome = try rig.program.succeed("push", "box:1", reference)
            let digest = try rig.digest("box:1")
            #expect(outcome.stderr.contains(digest))
            #expect(try rig.inspect("docker://\(reference)") == digest)
            try Run.succeeding(
                "skopeo",
                [
                    "--insecure-policy", "copy", "--src-tls-verify=false", "docker://\(reference)",
                    "oci:\(rig.path("theirs")):box",
                ])
            if Run.find("umoci") != nil {
                try Run.succeeding(
                    "umoci", ["unpack", "--image", "\(rig.path("theirs")):box", rig.path("bundle")])
                #expect(
                    try Run.shell("stat -c %s \"$1/bundle/rootfs/srv/noise\"", Scratch.path.rawValue).trimmed
                        == "2097152")
            }
            try rig.program.succeed("clear-cache")
            try rig.program.succeed("pull", reference)
            #expect(try rig.digest(reference) == digest)
            let again = try rig.program.succeed("image", "push", reference)
            #expect(again.stderr.contains("0 B sent"))
        }
    }

    @Test("what arrives is read by buildah", .needsProgram("buildah"))
    func buildah() throws {
        let rig = try ImageRig()
        try Registry.with(in: Scratch.path) { registry in
            let reference = "\(registry.address)/box:1"
            try rig.program.succeed("push", "box:1", reference)
            let storage = [
                "--root", rig.path("storage"), "--runroot", rig.path("run"), "--storage-driver", "vfs",
            ]
            let outcome = try Run.program(
                "buildah", storage + ["pull", "--tls-verify=false", "docker://\(reference)"])
            #expect(outcome.status == .success, "\(outcome.stderr)")
            _ = try Run.program("buildah", storage + ["rmi", "--all", "--force"])
        }
    }

    @Test("gives the registry a password, and says so when there is none", .needsProgram("htpasswd"))
    func credentials() throws {
        var rig = try ImageRig()
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            let reference = "\(registry.address)/box:1"
            try rig.program.refuse("push", "box:1", reference, naming: [registry.address, "registry login"])
            var program = rig.program
            program.environment["CD_DOCKER_AUTH"] = "\(Registry.user):wrong"
            try program.refuse("push", "box:1", reference, naming: ["CD_DOCKER_AUTH"])
            program.environment["CD_DOCKER_AUTH"] = "\(Registry.user):\(Registry.password)"
            let outcome = try program.succeed("push", "box:1", reference)
            #expect(!outcome.stderr.contains(Registry.password))
        }
        rig = try ImageRig()
    }

    @Test("an image without a place to go, or that is not there, is refused")
    func noPlace() throws {
        let rig = try ImageRig()
        try rig.program.succeed("install", rig.path("busybox"), "--name", "imported")
        let imported = try rig.program.succeed("image", "ls", "-q").lines.first { $0.contains("imported") }
        try rig.program.refuse("push", try #require(imported), naming: ["HOST/PATH"])
        try rig.program.refuse("push", "nothing:1", naming: ["nothing:1"])
    }

    @Test("two pushes and a prune at once do not hurt each other, nor a kill in the middle")
    func together() throws {
        let rig = try ImageRig(layers: [ImageRig.noise(8)])
        try Registry.with(in: Scratch.path) { registry in
            for round in 0..<3 {
                let one = try rig.program.start("push", "box:1", "\(registry.address)/one:\(round)")
                let two = try rig.program.start("push", "box:1", "\(registry.address)/two:\(round)")
                let prune = try rig.program.start("image", "prune")
                _ = try prune.finish()
                let killed = try rig.program.start("push", "box:1", "\(registry.address)/killed\(round):1")
                usleep(UInt32.random(in: 10_000..<80_000))
                killed.signalGroup(SIGKILL)
                _ = try killed.finish()
                for process in [try one.finish(), try two.finish()] {
                    #expect(process.status == .success, "\(process.stderr)")
                }
                let digest = try rig.digest("box:1")
                for name in ["one", "two"] {
                    #expect(try rig.inspect("docker://\(registry.address)/\(name):\(round)") == digest)
                }
                try rig.program.succeed("push", "box:1", "\(registry.address)/killed\(round):1")
            }
        }
        #expect(try rig.blobsAreWhole())
    }

    @Test("all platforms go as one index, and one of them by itself")
    func platforms() throws {
        let rig = try ImageRig()
        try Registry.with(in: Scratch.path) { registry in
            try Run.succeeding("python3", ["-c", Self.index, rig.path("busybox")])
            try Run.shell(
                "cd \"$1/busybox\"; tar cf ../multi.tar oci-layout index.json blobs", Scratch.path.rawValue)
            try rig.program.succeed("image", "load", rig.path("multi.tar"), "--name", "multi:1")
            #expect(try rig.program.succeed("image", "ls").lines.count { $0.hasPrefix("multi:1") } == 2)
            try rig.program.succeed("push", "multi:1", "\(registry.address)/multi:1")
            let raw = try Run.succeeding(
                "skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.address)/multi:1"])
            #expect(raw.contains("s390x") && raw.contains("manifests"))
            try rig.program.succeed("push", "multi:1", "\(registry.address)/single:1", "-a", "s390x")
            let single = try Run.succeeding(
                "skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.address)/single:1"])
            #expect(!single.contains("manifests"))
        }
    }

    /// Makes of the one image an index of two platforms.
    private static let index = """
        import hashlib, json, sys
        layout = sys.argv[1]
        index = json.load(open(layout + "/index.json"))
        def blob(value, kind):
            data = json.dumps(value).encode(); digest = hashlib.sha256(data).hexdigest()
            open(layout + "/blobs/sha256/" + digest, "wb").write(data)
            return {"mediaType": "application/vnd.oci.image." + kind + ".v1+json", "digest": "sha256:" + digest, "size": len(data)}
        def load(descriptor): return json.load(open(layout + "/blobs/sha256/" + descriptor["digest"][7:]))
        first = dict(index["manifests"][0]); first.pop("annotations")
        manifest = load(first); config = load(manifest["config"])
        first["platform"] = {"os": "linux", "architecture": config["architecture"]}
        config["architecture"] = "s390x"; manifest["config"] = blob(config, "config")
        second = dict(blob(manifest, "manifest"), platform={"os": "linux", "architecture": "s390x"})
        top = blob({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [first, second]}, "index")
        index["manifests"] = [top]
        json.dump(index, open(layout + "/index.json", "w"))
        """
}
