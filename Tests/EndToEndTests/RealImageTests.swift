import Libc
import Platform
import TestSupport
import Testing

/// A Debian by mmdebstrap with layers by buildah, through the registry and every archive that skopeo writes.
@Suite(
    "A real image", .scratch, .needsRoot, .needsProgram("mmdebstrap", "buildah", "setcap", "setfattr"),
    .needsProgram("docker-registry", "skopeo", "umoci", "python3"),
    .enabled(
        if: DebianImage.isPossible, "needs the distribution's mirror, or the image that an earlier run kept"))
struct RealImageTests {
    /// What the program itself writes into a root file system.
    private static let fixUps = ["./etc", "./etc/hosts", "./etc/resolv.conf"]

    @Test("from a registry is entry by entry what umoci unpacks")
    func agreesWithUmoci() throws {
        let program = Program()
        let image = try DebianImage.layered()
        let pulled = Scratch.path / "pulled"
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image, as: "team/debian:1")
            let reference = "\(registry.address)/team/debian:1"
            try program.succeed("install", reference)
            try Run.succeeding(
                "skopeo",
                [
                    "copy", "--quiet", "--src-tls-verify=false", "docker://\(reference)",
                    "oci:\(pulled.rawValue):latest",
                ])
        }
        // Right after the installation, and compared entry by entry, nothing differs from the image.
        #expect(try program.succeed("diff", "debian").stdout.isEmpty)
        try Run.shell("rm \"$1/completed\"", program.root(of: "debian").parent.rawValue)
        #expect(try program.succeed("diff", "debian").stdout.isEmpty)
        let bundle = Scratch.path / "bundle"
        try Run.succeeding("umoci", ["unpack", "--image", "\(pulled.rawValue):latest", bundle.rawValue])
        let ours = try TreeListing.of(program.root(of: "debian"), besides: Self.fixUps)
        let theirs = try TreeListing.of(bundle / "rootfs", besides: Self.fixUps)
        #expect(ours.count > 3000)
        let difference = Set(ours).symmetricDifference(theirs).sorted()
        #expect(difference.isEmpty, "\(difference.prefix(20).joined(separator: "\n"))")
        // The image has what it is meant to have.
        for word in ["cap", "user.note", "trusted.mark", "123456789", "'7:200'", "2 with ./srv/one/setuid"] {
            #expect(ours.contains { $0.contains(word) }, "\(word)")
        }
        for name in [
            "./srv/gone", "./srv/one/deep/er", "./srv/two/old", "./srv/pipe", "./usr/share/bash-completion",
        ] {
            #expect(!ours.contains { $0.hasPrefix("'\(name)'") }, "\(name)")
        }
    }

    @Test("with zstd layers is lived in: apt, dpkg, su and its own users work")
    func lives() throws {
        let program = Program()
        let packed = Scratch.path / "zstd"
        try Run.succeeding(
            "skopeo",
            [
                "copy", "--quiet", "--dest-compress-format", "zstd",
                "oci:\(try DebianImage.base().rawValue):latest",
                "oci:\(packed.rawValue):latest",
            ])
        #expect(try Run.shell("grep -rl tar+zstd \"$1\" | wc -l", packed.rawValue) != "0\n")
        try program.succeed("install", packed.rawValue, "--name", "deb")
        #expect(try program.inside("deb", "apt-get --version").hasPrefix("apt "))
        let packages = try program.succeed("login", "deb", "--", "dpkg", "-l").lines
        #expect(packages.contains { $0.hasPrefix("ii  apt ") })
        #expect(try program.inside("deb", "su -s /bin/sh nobody -c id").hasPrefix("uid=65534(nobody)"))
        #expect(try program.inside("deb", "useradd -m tester && su tester -c 'cd && pwd'") == "/home/tester")
        #expect(
            try program.succeed("login", "deb", "-u", "tester", "--", "sh", "-c", "id -un; pwd").lines
                == ["tester", "/home/tester"])
        // The image leaves out the documentation; nothing else may differ.
        #expect(
            try program.inside("deb", "dpkg --verify apt dpkg libc6 | grep -v '^missing' || echo whole")
                == "whole")
    }

    @Test("from what skopeo archives is the same image", arguments: ["docker-archive", "oci-archive"])
    func archives(_ kind: String) throws {
        let program = Program()
        let path = (Scratch.path / "debian.tar").rawValue
        let image = try DebianImage.layered().rawValue
        try Run.succeeding(
            "skopeo", ["copy", "--quiet", "oci:\(image):latest", "\(kind):\(path):team/debian:1"])
        try program.succeed("install", path, "--name", "deb")
        let root = program.root(of: "deb").rawValue
        let facts = try Run.shell(
            """
            cd "$1/srv"
            stat -c '%n %a %u %g %h' setuid && stat -c '%n %Y' top/nano fifo && stat -c '%n %F %t:%T' null
            getfattr -h --only-values -n user.note one/file
            [ one/file -ef two/linked ] && echo && ls one/deep
            """, root)
        #expect(
            facts == """
                setuid 4755 12 34 2
                top/nano 1935817689
                fifo -14182940
                null character special file 1:3
                kept
                new

                """)
        #expect(try program.succeed("run", "deb", "--", "sh", "-c", "echo $KEPT").stdout == "yes\n")
    }
}
