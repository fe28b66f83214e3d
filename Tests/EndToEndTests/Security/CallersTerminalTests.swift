import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "An isolated guest whose input is no terminal", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsIsolation)
struct CallersTerminalTests {
    /// Each leaves another of the standard descriptors a terminal, or none.
    private static let redirections = [
        "</dev/null", "</dev/null 2>/dev/null", "</dev/null >\"$1/out\"", "</dev/null >\"$1/out\" 2>&1",
    ]

    /// `script` in an isolated container, started by a shell on a terminal that then says how it ended.
    private func start(
        _ script: String, _ redirection: String, before: String = ""
    ) throws -> TestTerminal {
        let program = try Program.with("box")
        return try TestTerminal(
            "sh",
            [
                "-c",
                "\(before) \"$0\" login box --isolated=strict -- sh -c \"$2\" \(redirection); echo status $?; cat \"$1/out\" 2>/dev/null; echo over",
                BuiltBinary.path, Scratch.path.rawValue, script,
            ], environment: program.environment)
    }

    @Test("has not the caller's terminal, by no descriptor and no name", arguments: redirections)
    func reach(_ redirection: String) throws {
        let script = """
            stty -F /dev/tty -echo raw 2>/dev/null; for d in 0 1 2; do [ -t $d ] && stty -echo raw <&$d; done
            [ $(cut -d' ' -f6 /proc/self/stat) != 0 ] && echo own session; sleep 0.3; exit 5
            """
        var terminal = try start(script, redirection)
        let before = terminal.modes
        let shown = try terminal.wait(for: "over")
        #expect(terminal.modes == before, "the guest has changed the terminal")
        #expect(shown.contains("status 5") && shown.contains("own session"), "\(shown)")
        _ = try terminal.finish()
    }

    @Test("hears the keys that mean signals", arguments: redirections)
    func keys(_ redirection: String) throws {
        let script = "trap 'echo caught; exit 3' INT; touch /up; while :; do sleep 0.05; done"
        // A shell that has caught the signal itself goes on once the program has ended.
        var terminal = try start(script, redirection, before: "trap : INT;")
        let sign = Scratch.path / "data/chroot-distro/containers/box/rootfs/up"
        for _ in 0..<1000 where access(sign.rawValue, F_OK) != 0 { usleep(20_000) }
        try terminal.type("\u{3}")
        let shown = try terminal.wait(for: "over")
        #expect(shown.contains("status 3") && shown.contains("caught"), "\(shown)")
        _ = try terminal.finish()
    }

    @Test("follows the size of the window that its output is shown in")
    func size() throws {
        var terminal = try start(
            "trap 'stty size <&1; exit 0' WINCH; stty size <&1; while :; do sleep 0.05; done", "</dev/null")
        try terminal.wait(for: "24 80")
        terminal.resize(rows: 31, columns: 97)
        try terminal.wait(for: "31 97")
        try terminal.wait(for: "over")
        _ = try terminal.finish()
    }
}
