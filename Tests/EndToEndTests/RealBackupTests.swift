import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "A backup of a real system", .scratch, .needsRoot,
    .needsProgram("mmdebstrap", "buildah", "setcap", "setfattr", "umoci", "python3"),
    .enabled(
        if: DebianImage.isPossible, "needs the distribution's mirror, or the image that an earlier run kept"))
struct RealBackupTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    @Test("is restored entry by entry, with what was changed afterwards")
    func roundTrip() throws {
        let program = Program()
        let image = try DebianImage.layered()
        try program.succeed("install", image.rawValue, "--name", "debian")
        try program.succeed("backup", "debian", "-o", file("debian.tar.zst"), "--verify")
        var other = Program(in: Scratch.path)
        other.environment["XDG_DATA_HOME"] = file("other")
        try other.succeed("restore", file("debian.tar.zst"))
        let root = Scratch.path / "other/chroot-distro/containers/debian/rootfs"
        let before = try TreeListing.of(program.root(of: "debian"))
        #expect(before.count > 3000)
        let wrong = Set(try TreeListing.of(root)).symmetricDifference(before)
        #expect(wrong.isEmpty, "\(wrong.sorted().prefix(10))")
        // What people do inside.
        _ = try program.inside(
            "debian",
            """
            useradd -m alice; rm -r /usr/share/doc; dpkg --configure -a; echo x >>/etc/issue
            mv /usr/share/man /usr/share/men; cp -a /usr/share/men /usr/share/man; ln /etc/issue /srv/issue
            """)
        try program.succeed(
            "backup", "debian", "-o", file("later.tar.zst"), "--base", file("debian.tar.zst"), "--verify")
        try other.succeed("remove", "debian")
        try other.succeed("restore", file("debian.tar.zst"), file("later.tar.zst"))
        let after = try TreeListing.of(program.root(of: "debian"))
        let rest = Set(try TreeListing.of(root)).symmetricDifference(after)
        #expect(rest.isEmpty, "\(rest.sorted().prefix(10))")
        let sizes = try Run.shell("stat -c %s \"$1\" \"$2\"", file("debian.tar.zst"), file("later.tar.zst"))
            .split(separator: "\n").compactMap { Int($0) }
        #expect(sizes.count == 2 && sizes[1] * 5 < sizes[0], "\(sizes)")
    }
}
