import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "Becoming root", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("sudo", "doas", "setpriv", "useradd"))
struct ElevationTests {
    @Test("keeps arguments, status, working directory and the named variables", arguments: ["sudo", "doas"])
    func kept(_ way: String) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: way)
        environment["CD_ENV"] = "KEPT=yes"
        let copy = try copyOfProgram()
        try TestImage.write("here", to: etc.home / "file")
        let outcome = try etc.asUser(
            copy,
            [
                "login", "box", "-b", "./file:/mnt/file", "--", "sh", "-c",
                "cat /mnt/file; echo \"|$KEPT|$1\"; exit 7", "x", "a  b",
            ],
            environment: environment, directory: etc.home)
        #expect(outcome.stdout == "here|yes|a  b\n", "\(outcome.stderr)")
        #expect(outcome.status == ExitStatus(code: 7))
    }

    @Test("is not tried with --no-elevate, and says who would have to")
    func never() throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        let outcome = try etc.asUser(
            try copyOfProgram(), ["--no-elevate", "login", "box", "--", "true"],
            environment: program.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("root"))
    }

    @Test("shows no secret on any command line")
    func secret() throws {
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = Program().environment
        environment["CD_DOCKER_AUTH"] = "me:TopSecret-\(UInt32.random(in: 0 ... .max))"
        // Nothing answers there; meanwhile every command line is looked at.
        let address = "localhost:\(try Registry.freePort())"
        let script = """
            "$0" install "$1/box:1" >/dev/null 2>&1 & pid=$!
            while kill -0 $pid 2>/dev/null; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done
            """
        let outcome = try etc.asUser(
            "/bin/sh", ["-c", script, try copyOfProgram(), address], environment: environment)
        #expect(!outcome.stdout.contains("TopSecret"))
    }

    /// A directory of links to the usual programs without the other ways to become root.
    private func pathWith(only way: String) throws -> String {
        let directory = Scratch.path / "bin-\(way)"
        try Run.shell(
            """
            mkdir "$1"
            ln -s /bin/* "$1/" 2>/dev/null || true
            for other in sudo doas pkexec su; do [ $other = $2 ] || rm -f "$1/$other"; done
            """, directory.rawValue, way)
        return directory.rawValue
    }

    /// The program where a user can reach it.
    private func copyOfProgram() throws -> String {
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        return copy
    }
}
