import Libc
import Platform
import TestSupport
import Testing

/// Which registry is asked, when, and for which of its images.
@Suite(
    "install chooses", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("docker-registry", "skopeo"))
struct RegistryChoiceTests {
    @Test("the mirror of the configuration file, and its store when the mirror has gone")
    func mirror() throws {
        var program = Program()
        let settings = Scratch.path / "config"
        program.environment["XDG_CONFIG_HOME"] = settings.rawValue
        try Run.succeeding("mkdir", ["-p", (settings / "chroot-distro").rawValue])
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "hub/library/box:latest")
            try TestImage.write(
                #"{"registries":{"docker.io":{"mirrors":["\#(Registry.nobody)","\#(registry.address)/hub"]}}}"#,
                to: settings / "chroot-distro/config.json")
            try program.succeed("install", "box")
        }
        try program.succeed("install", "docker.io/library/box:latest", "-n", "offline")
        #expect(try program.inside("offline", "echo in") == "in")
        #expect(try program.names() == ["box", "offline"])
    }

    @Test("between its store and the registry as --pull says")
    func policy() throws {
        let program = Program()
        let first = try BusyboxImage.layout(in: Scratch.path, name: "one") { $0.add("srv/age", text: "old") }
        let second = try BusyboxImage.layout(in: Scratch.path, name: "two") { $0.add("srv/age", text: "new") }
        let reference = try Registry.with(in: Scratch.path) { registry in
            let reference = "\(registry.address)/box:1"
            try program.refuse("install", reference, "--pull", "never", naming: ["box:1"])
            try registry.push(first.layout, as: "box:1")
            try program.succeed("install", reference, "-n", "first")
            try registry.push(second.layout, as: "box:1")
            try program.succeed("install", reference, "-n", "missing")
            try program.succeed("install", reference, "-n", "always", "--pull", "always")
            return reference
        }
        try program.succeed("install", reference, "-n", "never", "--pull=never")
        try program.refuse("install", reference, "-n", "gone", "--pull", "always", naming: ["localhost"])
        #expect(try program.inside("first", "cat /srv/age") == "old")
        #expect(try program.inside("missing", "cat /srv/age") == "old")
        #expect(try program.inside("always", "cat /srv/age") == "new")
        #expect(try program.inside("never", "cat /srv/age") == "new")
    }

    @Test("the platform that is asked for, in every spelling of it", .needsProgram("buildah"))
    func platform() throws {
        let program = Program()
        try Registry.with(in: Scratch.path) { registry in
            let reference = "\(registry.address)/team/app:1"
            try Run.shell(Self.index, Scratch.path.rawValue, reference)
            for (word, expected) in [
                ("aarch64", "arm64"), ("linux/arm64", "arm64"), ("x86_64", "amd64"), ("amd64", "amd64"),
                ("linux/arm/v7", "arm"), ("arm", "arm"),
            ] {
                let name = "app-" + word.replacing("/", with: "-")
                try program.succeed("install", reference, "--architecture", word, "-n", name)
                let mark = try Run.succeeding("cat", [(program.root(of: name) / "architecture").rawValue])
                #expect(mark == "\(expected)\n", "\(word)")
            }
            try program.refuse(
                "install", reference, "-a", "riscv64", "-n", "none", naming: ["riscv64", "linux/arm64"])
            try program.refuse("install", reference, "-a", "pdp11", "-n", "none", naming: ["pdp11"])
        }
    }

    /// Pushes an image for three platforms to `$2`.
    private static let index = """
        work=$1
        run_buildah() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
        run_buildah manifest create app
        for platform in amd64 arm64 arm,v7; do
            architecture=${platform%%,*}
            container=$(run_buildah from scratch)
            echo "$architecture" >"$work/architecture"
            run_buildah copy --quiet "$container" "$work/architecture" /architecture
            run_buildah config --arch "$architecture" "$container"
            case $platform in *,*) run_buildah config --variant "${platform#*,}" "$container" ;; esac
            run_buildah commit --quiet "$container" "image-$architecture"
            run_buildah manifest add app "image-$architecture"
        done
        run_buildah manifest push --quiet --all --tls-verify=false app "docker://$2"
        """

    @Test("no open line to another host unless it is told to")
    func insecure() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            // This machine in a spelling that does not count as such.
            let port = registry.address.split(separator: ":").last ?? ""
            let reference = "[::ffff:7f00:1]:\(port)/box:1"
            try program.refuse("install", reference, naming: ["[::ffff:7f00:1]:\(port)", "--allow-insecure"])
            try program.succeed("install", reference, "--allow-insecure")
        }
        #expect(try program.names() == ["box"])
    }

    @Test("not to be faster than CD_DOWNLOAD_RATE_LIMIT")
    func rate() throws {
        var program = Program()
        let noise = (0..<3_000_000).map { _ in UInt8.random(in: 0 ... .max) }
        let image = try BusyboxImage.layout(in: Scratch.path) { $0.add("srv/noise", content: noise) }
        program.environment["CD_DOWNLOAD_RATE_LIMIT"] = "2M"
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            let start = Clock.now
            try program.succeed("install", "\(registry.address)/box:1")
            #expect(Clock.now - start > 1)
        }
    }

    @Test("through indexes inside of indexes")
    func nested() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        // index.json names an index, whose only entry is an index with the image and an attestation.
        try Run.succeeding(
            "python3",
            [
                "-c",
                """
                import hashlib, json, sys
                layout = sys.argv[1]
                top = json.load(open(layout + "/index.json"))
                image = top["manifests"][0]
                image["platform"] = {"os": "linux", "architecture": sys.argv[2]}
                del image["annotations"]
                kind = "application/vnd.oci.image.index.v1+json"
                for entries in ([dict(image, platform={"os": "unknown", "architecture": "unknown"}), image], None):
                    text = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries or [inner]}).encode()
                    digest = hashlib.sha256(text).hexdigest()
                    open(layout + "/blobs/sha256/" + digest, "wb").write(text)
                    inner = {"mediaType": kind, "digest": "sha256:" + digest, "size": len(text)}
                top["manifests"] = [dict(inner, annotations={"org.opencontainers.image.ref.name": "latest"})]
                json.dump(top, open(layout + "/index.json", "w"))
                """, image.layout.rawValue,
                Run.succeeding("uname", ["-m"]) == "aarch64\n" ? "arm64" : "amd64",
            ])
        try program.succeed("install", image.layout.rawValue, "-n", "box")
        #expect(try program.inside("box", "echo in") == "in")
    }
}
