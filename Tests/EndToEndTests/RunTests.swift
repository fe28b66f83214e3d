import Libc
import Platform
import TestSupport
import Testing

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
}
