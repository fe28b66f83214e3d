import Libc
import Platform
import TestSupport
import Testing

@Suite("list and ps", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct ListTests {
    @Test("suggest how to begin when there is nothing")
    func nothing() throws {
        let outcome = try Program().succeed("list")
        #expect(outcome.stdout.isEmpty)
        #expect(outcome.stderr.contains("chroot-distro install"))
    }

    @Test("name each container with where it came from", arguments: ["list", "li", "ls"])
    func columns(_ word: String) throws {
        let program = Program()
        try program.restore("box", of: "debian:12")
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try program.succeed("install", path.rawValue, "--name", "plain")
        let shown = try program.succeed(word).lines
        #expect(shown.contains { $0.hasPrefix("box ") && $0.contains("debian:12 (") }, "\(shown)")
        #expect(shown.contains { $0.hasPrefix("plain ") && $0.contains("local archive") }, "\(shown)")
        #expect(try program.succeed(word, "-q").stdout == "box\nplain\n")
    }

    @Test("are JSON when asked, one document with what the table has", .needsProgram("python3"))
    func json() throws {
        let program = try Program.with("box")
        for (command, path) in [
            (["list", "--json"], "['containers'][0]['name']"),
            (["ps", "-a", "--json"], "['sessions'][0]['container']"),
        ] {
            let outcome = try Run.program(BuiltBinary.path, command, environment: program.environment)
            let name = try Run.succeeding(
                "python3", ["-c", "import json,sys; print(json.load(sys.stdin)\(path))"],
                input: outcome.output)
            #expect(name == "box\n")
        }
    }

    @Test("tell the image's settings with -v, and new sizes with --measure")
    func details() throws {
        let program = Program()
        try program.install(
            "box",
            configuration:
                #"{"User":"user","WorkingDir":"/etc","ExposedPorts":{"80/tcp":{}},"Cmd":["/bin/sh"]}"#)
        let shown = try program.succeed("list", "-v").stdout
        for word in ["User: user", "WorkDir: /etc", "80/tcp"] { #expect(shown.contains(word), "\(shown)") }
        func size() throws -> String? {
            try program.succeed("list").lines.first { $0.hasPrefix("box") }
        }
        let before = try size()
        try program.succeed(
            "login", "box", "--", "dd", "if=/dev/zero", "of=/srv-file", "bs=1048576", "count=50")
        try program.succeed("list", "--measure")
        let after = try size()
        #expect(before != nil && after != nil && before != after)
    }

    @Test("show a container as running while a session is open, and no longer")
    func running() throws {
        let program = try Program.with("box")
        try program.install("idle")
        #expect(try program.succeed("ps", "-q").stdout.isEmpty)
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; cat")
        _ = try session.read(until: "ready")
        #expect(try program.succeed("ps", "-q").stdout == "box\n")
        #expect(try program.succeed("ps", "-a", "-q").stdout == "box\nidle\n")
        _ = try session.finish()
        #expect(try program.succeed("ps", "-q").stdout.isEmpty)
    }

    @Test("work for a user who is not root, without asking for more", .needsProgram("setpriv"))
    func unprivileged() throws {
        let program = try Program.with("box")
        try Run.succeeding("chmod", ["755", Scratch.path.rawValue])
        // The build is not readable for everybody.
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        for command in [["list", "-q"], ["ps", "-a", "-q"]] {
            let outcome = try Run.program(
                "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", copy] + command,
                environment: program.environment)
            #expect(outcome.stdout == "box\n", "\(outcome.stderr)")
        }
    }

    @Test("follow no FIFO, device or link that a root file system puts in the way")
    func hostileRoot() throws {
        let program = try Program.with("box") { $0.addDirectories("srv") }
        try Run.shell(
            "mv \"$1/etc\" \"$1/bin\" \"$1/srv\"; mkfifo \"$1/etc\" \"$1/bin\"",
            program.root(of: "box").rawValue)
        #expect(try program.run("list", timeout: 10).status == .success)
        #expect(try program.run("ps", timeout: 10).status == .success)
    }
}
