import Libc
import Platform
import TestSupport
import Testing

@Suite("A hostile container, copied from and to", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct CopyAttackTests {
    private let outside = Scratch.path / "outside"
    private let loot = Scratch.path / "loot"

    private func prepare() throws -> (Program, Canary) {
        let outside = outside.rawValue
        try Run.succeeding("mkdir", [outside])
        let canary = try Canary(in: self.outside)
        try Run.shell(
            "mkdir \"$1/payload\"; echo dead >\"$1/payload/canary\"; mkdir \"$1/empty\"",
            Scratch.path.rawValue)
        let program = try Program.with("box") { tar in
            tar.add("away", .symbolicLink, target: outside)
            tar.add("up", .symbolicLink, target: "../../../../../../../../../../" + outside)
            tar.add("file", .symbolicLink, target: outside + "/canary")
            tar.add("proc-root", .symbolicLink, target: "/proc/1/root" + outside)
        }
        return (program, canary)
    }

    @Test("gets nothing written outside by its links, and has nothing read from there")
    func links() throws {
        let (program, canary) = try prepare()
        let payload = (Scratch.path / "payload").rawValue
        for link in ["away", "up", "proc-root"] {
            for words in [
                ["copy", payload + "/canary", "box:/\(link)/canary"],
                ["copy", payload + "/canary", "box:/\(link)/"],
                ["copy", "-r", payload + "/.", "box:/\(link)"], ["sync", payload, "box:/\(link)"],
                ["sync", "--delete", (Scratch.path / "empty").rawValue, "box:/\(link)"],
                ["copy", "-m", "box:/\(link)/canary", loot.rawValue],
                ["copy", "box:/\(link)/canary", loot.rawValue],
                ["copy", "-r", "box:/\(link)/", loot.rawValue + "-tree"],
            ] {
                _ = try Run.program(BuiltBinary.path, words, environment: program.environment)
                canary.expectAlive()
            }
        }
        for words in [["copy", payload + "/canary", "box:/file"], ["copy", "box:/file", loot.rawValue]] {
            _ = try Run.program(BuiltBinary.path, words, environment: program.environment)
            canary.expectAlive()
        }
        #expect(try Run.shell("grep -rl alive \"$1\"* 2>/dev/null || true", loot.rawValue) == "")
        #expect(try Run.shell("ls \"$1\"", outside.rawValue) == "canary\n")
    }

    /// Exchanges two names as fast as it can.
    private static let swapper = """
        import ctypes, os, sys
        library = ctypes.CDLL(None)
        a, b = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
        print("on", flush=True)
        while True: library.renameat2(-100, a, -100, b, 2)
        """

    @Test(
        "cannot win by swapping a directory for a link while files are copied", .needsProgram("python3"),
        arguments: ["parent", "inside"])
    func race(_ place: String) throws {
        let (program, canary) = try prepare()
        let root = program.root(of: "box")
        // Either the directory that is named, or one in the tree that is walked.
        let directory = place == "parent" ? "d" : "t/d"
        try Run.shell(
            """
            mkdir -p "$1/t" "$1/$2"; echo guest >"$1/$2/canary"; for n in $(seq 40); do echo $n >"$1/$2/f$n"; done; ln -s "$3" "$1/link"
            mkdir -p "$4/tree/d"; cp "$1/$2"/f* "$4/tree/d/"; echo dead >"$4/tree/d/canary"
            """, root.rawValue, directory, outside.rawValue, Scratch.path.rawValue)
        let attack = try Running.start(
            "python3", ["-c", Self.swapper, (root / directory).rawValue, (root / "link").rawValue])
        _ = try attack.read(until: "on")
        let (tree, loot) = ((Scratch.path / "tree").rawValue, loot.rawValue)
        let rounds: [[String]] =
            place == "parent"
            ? [
                ["copy", "box:/d/canary", loot], ["copy", tree + "/d/canary", "box:/d/canary"],
                ["copy", "-r", tree + "/d/.", "box:/d"], ["sync", "--delete", tree + "/d", "box:/d"],
                ["sync", "--delete", (Scratch.path / "empty").rawValue, "box:/d"],
                ["copy", "-r", "box:/d", loot + "-tree"],
                ["copy", "-m", "box:/d/f1", loot],
            ]
            : [
                ["copy", "-r", tree + "/.", "box:/t"], ["sync", tree, "box:/t"],
                ["sync", "-c", "--delete", tree, "box:/t"],
                ["sync", "box:/t", loot + "-tree"], ["copy", "-r", "box:/t", loot + "-tree"],
                ["sync", "--delete", (Scratch.path / "empty").rawValue, "box:/t"],
            ]
        for round in 0..<120 {
            _ = try Run.program(
                BuiltBinary.path, rounds[round % rounds.count] + ["-q"], environment: program.environment)
        }
        attack.signal(SIGKILL)
        _ = try attack.finish()
        canary.expectAlive()
        #expect(try Run.shell("ls \"$1\"", outside.rawValue) == "canary\n")
        #expect(try Run.shell("grep -rl alive \"$1\"* 2>/dev/null || true", loot) == "")
    }

    @Test("cannot hold the copy up with a FIFO, nor have a device opened")
    func specials() throws {
        let (program, _) = try prepare()
        try Run.shell(
            "cd \"$1\"; mkdir s; mkfifo s/fifo; mknod s/tty c 5 0; mknod s/memory c 1 1; echo x >s/z",
            program.root(of: "box").rawValue)
        for words in [["copy", "-r", "box:/s", loot.rawValue], ["sync", "box:/s", loot.rawValue]] {
            let outcome = try Run.program(
                BuiltBinary.path, words, environment: program.environment, timeout: 20)
            #expect(outcome.status == .success && outcome.stderr.contains("3 left out"), "\(outcome.stderr)")
        }
        for name in ["fifo", "tty", "memory"] {
            let outcome = try program.run("copy", "box:/s/\(name)", loot.rawValue, timeout: 20)
            #expect(outcome.status == .failure)
        }
        #expect(try Run.shell("ls \"$1\"", loot.rawValue) == "z\n")
    }

    @Test("gets no other file changed that has a hard link where something arrives")
    func hardLinks() throws {
        let (program, _) = try prepare()
        try Run.shell(
            "cd \"$1\"; echo secret >secret; chmod 600 secret; mkdir d; ln secret d/canary",
            program.root(of: "box").rawValue)
        let payload = (Scratch.path / "payload").rawValue
        try Run.shell("chmod 666 \"$1/canary\"", payload)
        try program.succeed("copy", "-r", payload + "/.", "box:/d")
        try Run.shell(
            "cd \"$1\"; rm d/canary; ln secret d/canary; touch -r \"$2/canary\" secret; printf 'dead\\n' >\"$2/canary\"; printf 'secr\\n' >secret; touch -r \"$2/canary\" secret",
            program.root(of: "box").rawValue, payload)
        try program.succeed("sync", payload, "box:/d")
        #expect(
            try Run.shell("cd \"$1\"; cat secret; stat -c %a secret", program.root(of: "box").rawValue)
                == "secr\n600\n")
    }

    @Test(
        "gives its rights to nobody by what a user copies out of it",
        .needsProgram("sudo", "setpriv", "useradd", "python3"))
    func elevated() throws {
        let (program, _) = try prepare()
        let etc = try PrivateEtc(in: Scratch.path)
        try EveryFile.make(at: program.root(of: "box") / "srv")
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        let outcome = try etc.asUser(
            copy, ["cp", "-r", "box:/srv", "new/dir"], environment: program.environment, directory: etc.home)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        let user = try Run.shell("stat -c %u:%g \"$1\"", etc.home.rawValue)
        let found = try Run.shell(
            "cd \"$1/new\"; find . -printf '%U:%G\\n' | sort -u; find . -type f -perm /6000; getfattr -R -h -d -m '^(security.capability|trusted)' . 2>/dev/null || true",
            etc.home.rawValue)
        #expect(found == user)
    }

    @Test(
        "reads relative paths where the caller is, or not at all", .needsProgram("sudo", "setpriv", "useradd")
    )
    func workingDirectory() throws {
        let (program, _) = try prepare()
        let etc = try PrivateEtc(in: Scratch.path)
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        try Run.shell("echo mine >\"$1/it's mine\"", etc.home.rawValue)
        let here = try etc.asUser(
            copy, ["cp", "it's mine", "box:/root/a"], environment: program.environment, directory: etc.home)
        #expect(here.status == .success, "\(here.stderr)")
        let home = try etc.asUser(
            copy, ["cp", "~/it's mine", "box:/root/b"], environment: program.environment)
        #expect(home.status == .success, "\(home.stderr)")
        #expect(try program.inside("box", "cat /root/a /root/b") == "mine\nmine")
        // A directory that is gone is no reason to take another one.
        let lost = try etc.asUser(
            "/bin/sh",
            ["-c", "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" sync --delete box:/root etc", copy],
            environment: program.environment, directory: etc.home)
        #expect(lost.status == .failure && lost.stderr.contains("relative paths"), "\(lost.stderr)")
    }
}
