import Libc
import Platform
import TestSupport
import Testing

/// Where they are kept.
private enum PythonPrograms {
    static let home = "/var/cache/chroot-distro-tests/python"

    static func path(_ program: String) -> String { "\(home)/\(program)/bin/\(program)" }

    static let areHere = ["chroot-distro", "proot-distro"].allSatisfy { access(path($0), X_OK) == 0 }
}

/// Backups by the Python programs themselves, which are in virtual environments that tests keep.
@Suite(
    "A backup by a Python program", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("unshare", "tar"),
    .enabled(
        if: PythonPrograms.areHere,
        """
        needs chroot-distro and proot-distro from PyPI, each so: python3 -m venv \(PythonPrograms.home)/NAME && \
        \(PythonPrograms.home)/NAME/bin/pip install NAME
        """))
struct PythonBackupTests {
    private func file(_ name: String) -> String { (Scratch.path / name).rawValue }

    /// Lets one of them install a system and back it up, where it can reach neither the host's mounts nor anybody's
    /// home.
    private func backUp(with program: String, as archive: String) throws {
        let plain = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "plain.tar")
        try Run.shell(
            """
            cd "$1"; mkdir -p tree home prefix/tmp stub; tar -C tree -xf "$2"; cd tree
            mkdir -p srv/deep/er usr/bin root; echo text >srv/f; ln srv/f srv/g; ln -s f srv/s; chown 12:34 srv/f
            mkdir -m 700 srv/closed; chmod 4755 bin/busybox; touch -d '2001-02-03 04:05:06.789' srv/f srv/deep
            : >"srv/$(printf 'new\\nline')"; : >"srv/$(printf '%0200d' 1)"
            cd ..; tar -cf rootfs.tar -C tree .; printf '#!/bin/sh\\nexit 0\\n' >stub/proot; chmod 755 stub/proot
            """, Scratch.path.rawValue, plain.rawValue)
        var environment = Run.environment
        environment["HOME"] = file("home")
        environment["PREFIX"] = file("prefix")
        environment["TERMUX_PREFIX"] = file("prefix")
        environment["TMPDIR"] = file("prefix/tmp")
        environment["XDG_DATA_HOME"] = file("home/data")
        environment["XDG_CACHE_HOME"] = file("home/cache")
        environment["PATH"] = file("stub") + ":/usr/sbin:/usr/bin:/sbin:/bin"
        let outcome = try Run.program(
            "/usr/bin/unshare",
            [
                "-m", "--propagation", "private", "/bin/sh", "-c",
                "cd \"$2\" && \"$1\" install ./rootfs.tar --name box && \"$1\" backup box -o \"$3\"", "sh",
                PythonPrograms.path(program), Scratch.path.rawValue, archive,
            ], environment: environment, timeout: 120)
        try #require(outcome.status == .success, "\(outcome.stderr)")
    }

    @Test(
        "is restored as GNU tar unpacks it, and lived in; no increment follows it",
        arguments: [
            ("chroot-distro", "tar.gz"), ("chroot-distro", "tar.xz"), ("proot-distro", "tar.bz2"),
            ("proot-distro", "tar"),
        ])
    func restored(_ program: String, _ suffix: String) throws {
        let archive = file("box.\(suffix)")
        try backUp(with: program, as: archive)
        let ours = Program()
        try ours.succeed("restore", archive)
        try Run.shell(
            "mkdir \"$1/there\"; tar -C \"$1/there\" --numeric-owner -xpf \"$2\"", Scratch.path.rawValue,
            archive)
        let found = try TreeListing.of(ours.root(of: "box"))
        #expect(found.count > 15 && found.contains { $0.contains("'./srv/new") })
        #expect(try found == TreeListing.of(Scratch.path / "there/box/rootfs"))
        #expect(try ours.inside("box", "cat /srv/g") == "text")
        try ours.refuse(
            "backup", "box", "-o", file("x.tar"), "--base", archive, naming: [suffix, "increment"])
    }
}
