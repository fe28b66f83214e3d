import Libc
import Platform
import TestSupport
import Testing

@testable import chroot_distro

@Suite("run", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct RunTests {
    /// What an image defines, what is asked for, and what then runs.
    struct Case: Sendable, CustomTestStringConvertible {
        let configuration: String
        let arguments: [String]
        let output: String
        var testDescription: String { "\(configuration) with \(arguments)" }
    }

    private static let both = #"{"Entrypoint":["/bin/echo","E"],"Cmd":["C"]}"#
    private static let entrypoint = #"{"Entrypoint":["/bin/echo","E"]}"#
    private static let command = #"{"Cmd":["/bin/echo","C"]}"#

    static let cases = [
        Case(configuration: both, arguments: [], output: "E C"),
        Case(configuration: both, arguments: ["--", "X"], output: "E X"),
        Case(configuration: command, arguments: [], output: "C"),
        Case(configuration: command, arguments: ["--", "/bin/echo", "X"], output: "X"),
        Case(configuration: entrypoint, arguments: [], output: "E"),
        Case(configuration: entrypoint, arguments: ["--", "X"], output: "E X"),
        Case(configuration: "{}", arguments: ["--", "/bin/echo", "X"], output: "X"),
        Case(configuration: both, arguments: ["--entrypoint", "/bin/echo", "--", "Y"], output: "Y"),
    ]

    @Test("runs what Entrypoint, Cmd and the arguments make together", arguments: cases)
    func table(_ example: Case) throws {
        let program = Program()
        try program.install("box", configuration: example.configuration)
        let outcome = try Run.program(
            BuiltBinary.path, ["run", "box"] + example.arguments, environment: program.environment)
        #expect(outcome.stdout == example.output + "\n", "\(outcome.stderr)")
    }

    @Test("refuses an image that defines neither when nothing is asked for")
    func neither() throws {
        let program = Program()
        try program.install("box", configuration: "{}")
        try program.refuse("run", "box", naming: ["box"])
    }

    @Test("refuses a container that did not come from an image")
    func noImage() throws {
        let program = Program()
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try program.succeed("install", path.rawValue, "--name", "plain")
        try program.refuse("run", "plain", naming: ["plain"])
    }

    @Test("starts in the image's working directory as the image's user")
    func userAndDirectory() throws {
        let program = Program()
        try program.install(
            "box", configuration: #"{"WorkingDir":"/etc","User":"user","Cmd":["/bin/sh","-c","pwd; id -un"]}"#
        )
        #expect(try program.succeed("run", "box").stdout == "/etc\nuser\n")
    }

    @Test("takes its defaults from CD_ENTRYPOINT, CD_USER, CD_WORKDIR and CD_ENV")
    func variables() throws {
        var program = Program()
        try program.install("box", configuration: Self.both)
        program.environment["CD_ENTRYPOINT"] = "/bin/sh"
        program.environment["CD_USER"] = "user"
        program.environment["CD_WORKDIR"] = "/usr"
        program.environment["CD_ENV"] = "A=b"
        let outcome = try program.succeed("run", "box", "--", "-c", "id -un; pwd; echo $A")
        #expect(outcome.stdout == "user\n/usr\nb\n")
    }

    @Test(
        "warns of a port of the image that is taken, and names who has it; a shell is not warned",
        .needsProgram("python3"))
    func portClash() throws {
        let host = try Running.start(
            "python3",
            [
                "-c",
                "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); input()",
            ])
        let port = String(try host.read(until: "\n").dropLast())
        let program = Program()
        let settings = #"{"ExposedPorts":{"PORT/tcp":{},"9/udp":{},"x":{}},"Cmd":["/bin/true"]}"#
        try program.install("web", configuration: settings.replacing("PORT", with: port))
        try program.install("quiet", configuration: #"{"ExposedPorts":{"1/tcp":{}},"Cmd":["/bin/true"]}"#)
        let run = try program.succeed("run", "web")
        #expect(
            run.stderr.contains("port \(port)/tcp") && run.stderr.contains("process \(host.pid) "),
            "\(run.stderr)")
        #expect(run.stderr.contains("of this host") && !run.stderr.contains("9/udp"), "\(run.stderr)")
        #expect(try program.succeed("login", "web", "--", "true").stderr.isEmpty)
        #expect(try program.succeed("run", "quiet").stderr.isEmpty)
        _ = try host.finish(input: Array("\n".utf8))
        #expect(try program.succeed("run", "web").stderr.isEmpty)
        // A container that listens is named, also to what is started again in the background.
        try program.succeed(
            "login", "-d", "quiet", "--", "/bin/busybox", "httpd", "-f", "-p", "127.0.0.1:\(port)")
        var detached = try program.succeed("run", "-d", "web")
        for _ in 0..<50 where !detached.stderr.contains("in quiet") {
            usleep(50_000)
            detached = try program.succeed("run", "-d", "web")
        }
        #expect(detached.stderr.contains("in quiet"), "\(detached.stderr)")
        #expect(try program.succeed("start", "web").stderr.contains("in quiet"))
        try program.succeed("kill", "quiet")
    }

    @Test(
        "reads ports as images write them",
        arguments: [
            ("80/tcp", "tcp 80-80"), ("53/udp", "udp 53-53"), ("8080", "tcp 8080-8080"),
            ("8000-8010/TCP", "tcp 8000-8010"),
            ("0/tcp", nil), ("65536", nil), ("9-8", nil), ("80/sctp", nil), ("", nil), ("/tcp", nil),
            ("80/tcp/x", nil),
        ] as [(String, String?)])
    func ports(_ text: String, _ meaning: String?) {
        let port = ExposedPort(text)
        #expect(port.map { "\($0.protocol) \($0.ports.lowerBound)-\($0.ports.upperBound)" } == meaning)
    }
}
