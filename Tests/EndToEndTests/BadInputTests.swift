import Libc
import Platform
import TestSupport
import Testing

@Suite("Bad input", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct BadInputTests {
    @Test(
        "a file that is no archive is refused by name",
        arguments: ["", "no archive at all\n", "\u{1f}\u{8b}"])
    func notAnArchive(_ content: String) throws {
        let program = try Program.with("before")
        let path = Scratch.path / "thing.tar.gz"
        try TestImage.write(content, to: path)
        try program.refuse("install", path.rawValue, "--name", "box", naming: ["thing.tar.gz"])
        #expect(try program.names() == ["before"])
    }

    @Test("an archive that is cut short is refused", arguments: ["cat", "gzip", "xz", "zstd", "bzip2"])
    func cutShort(_ compressor: String) throws {
        let program = try Program.with("before")
        _ = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "box.tar")
        try Run.shell(
            """
            \(compressor) <"$1/box.tar" >"$1/short"
            truncate -s $(($(stat -c %s "$1/short") * 2 / 3)) "$1/short"
            """, Scratch.path.rawValue)
        try program.refuse("install", (Scratch.path / "short").rawValue, "--name", "box", naming: ["short"])
        #expect(try program.names() == ["before"])
    }

    @Test("a missing file is named")
    func missingFile() throws {
        try Program().refuse("install", "./not-here.tar", naming: ["not-here.tar"])
    }

    @Test(
        "an invalid name is refused",
        arguments: ["../evil", "-x", ".hidden", "a/b", "with space", "new\nline", "ü", "_under", ".."])
    func invalidName(_ name: String) throws {
        let program = try Program.with("before")
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        let outcome = try program.refuse("install", path.rawValue, "--name=\(name)", naming: [])
        #expect(!outcome.stderr.contains("new\nline"))
        #expect(try program.names() == ["before"])
    }

    @Test("a name that is taken is refused, and what has it stays")
    func taken() throws {
        let program = try Program.with("box")
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try program.refuse("install", path.rawValue, "--name", "box", naming: ["box"])
        #expect(try program.inside("box", "echo stays") == "stays")
    }

    @Test(
        "a container that does not exist is named by every command",
        arguments: EveryCommand.lines(naming: "ghost"))
    func missingContainer(_ arguments: [String]) throws {
        let program = Program()
        let outcome = try Run.program(BuiltBinary.path, arguments, environment: program.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("ghost"))
    }

    @Test("a container whose name is nearly right is suggested")
    func nearMiss() throws {
        let program = try Program.with("debian")
        try program.refuse("login", "debain", naming: ["debain", "debian"])
    }

    @Test("an unknown command or option gets a suggestion")
    func suggestion() throws {
        let program = Program()
        #expect(try program.run("instal-l").stderr.contains("install"))
        #expect(try program.run("login", "--shard-home", "x").stderr.contains("--shared-home"))
    }

    @Test("a missing bind source, an unknown bind option and a missing work directory are refused")
    func session() throws {
        let program = try Program.with("box")
        let shared = (Scratch.path / "shared").rawValue
        try Run.succeeding("mkdir", [shared])
        try program.refuse("login", "box", "-b", "/not/here:/mnt", "--", "true", naming: ["/not/here"])
        try program.refuse(
            "login", "box", "-b", "\(shared):/mnt:sideways", "--", "true", naming: ["sideways"])
        try program.refuse("login", "box", "-b", "\(shared):relative", "--", "true", naming: ["relative"])
        try program.refuse("login", "box", "-w", "/not/there", "--", "true", naming: ["/not/there"])
        try program.refuse("login", "box", "-u", "nobody-knows", "--", "true", naming: ["nobody-knows"])
        try program.refuse("login", "box", "-e", "=value", "--", "true", naming: ["=value"])
    }

    @Test("options that exclude each other are refused")
    func exclusive() throws {
        let program = try Program.with("box")
        try program.refuse(
            "login", "box", "--shared-tmp", "--no-shared-tmp", naming: ["--shared-tmp", "--no-shared-tmp"])
        try program.refuse(
            "login", "box", "--minimal", "--shared-home", naming: ["--minimal", "--shared-home"])
        try program.refuse(
            "install", "x", "--name", "a", "--override-alias", "b", naming: ["--name", "--override-alias"])
    }

    @Test("a full disk is reported as one, and leaves nothing")
    func diskFull() throws {
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path) { tar in
            tar.add("big", content: [UInt8](repeating: 0x5a, count: 8 << 20))
        }
        // The store is on a file system of four megabytes, in a mount namespace of its own.
        let script = """
            mkdir "$1/small"
            mount -t tmpfs -o size=6m none "$1/small"
            export XDG_DATA_HOME="$1/small" XDG_CACHE_HOME="$1/small"
            "$2" install "$3" --name box
            echo "status $?"
            "$2" list -q
            find "$1/small" -name rootfs
            """
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                BuiltBinary.path, path.rawValue,
            ])
        #expect(outcome.stdout == "status 1\n", "\(outcome.stdout)")
        #expect(
            outcome.stderr.lowercased().contains("disk is full") || outcome.stderr.contains("No space left"))
    }

    @Test("without root there is one clear line", .needsProgram("setpriv"))
    func noRoot() throws {
        var program = try Program.with("box")
        program.environment["CHROOT_DISTRO_NO_ELEVATE"] = "1"
        try Run.succeeding("chmod", ["755", Scratch.path.rawValue])
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        let outcome = try Run.program(
            "setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", copy, "login", "box", "--", "true"],
            environment: program.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("root"))
    }
}
