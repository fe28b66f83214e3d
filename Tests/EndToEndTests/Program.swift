import Libc
import Platform
import TestSupport
import Testing

/// The built program with a store of its own in the test's scratch directory.
struct Program {
    let directory: HostPath
    var environment: [String: String]

    init(in directory: HostPath = Scratch.path) {
        self.directory = directory
        environment = Run.environment
        environment["XDG_DATA_HOME"] = (directory / "data").rawValue
        environment["XDG_CACHE_HOME"] = (directory / "cache").rawValue
    }

    /// A store with the busybox system installed as `name`.
    static func with(_ name: String, _ extra: (inout TarBuilder) -> Void = { _ in }) throws -> Program {
        let program = Program()
        try program.install(name, extra)
        return program
    }

    /// Installs the busybox system as `name` from an image, with what `extra` adds to it.
    func install(
        _ name: String, configuration: String = #"{"Cmd":["/bin/sh"]}"#, layers: [[UInt8]] = [],
        _ extra: (inout TarBuilder) -> Void = { _ in }
    ) throws {
        let image = try BusyboxImage.layout(
            in: directory, name: "image-\(name)", layers: layers, configuration: configuration, extra)
        let archive = directory / "image-\(name).tar"
        try image.pack(as: archive)
        try succeed("install", archive.rawValue, "--name", name)
    }

    /// Makes the busybox system a container by restoring a backup that says which image it is of.
    func restore(_ name: String, of image: String) throws {
        let plain = try BusyboxImage.rootfsArchive(in: directory, name: "plain-\(name).tar")
        try Run.shell(
            """
            mkdir -p "$1/made/$3/rootfs"; cd "$1/made"; tar -C "$3/rootfs" -xf "$2"
            printf '{"image_ref":"%s","arch":"%s"}' "$4" "$(uname -m)" >"$3/manifest.json"
            tar -cf "../$3.tar" "$3"; rm -rf "$3"
            """, directory.rawValue, plain.rawValue, name, image)
        try succeed("restore", (directory / "\(name).tar").rawValue)
    }

    /// Empties the image store, so that every blob has to come anew.
    func forgetImages() throws { try Run.shell("rm -rf \"$1/cache\"", directory.rawValue) }

    /// Runs the program; any status will do.
    func run(
        _ arguments: String..., input: [UInt8] = [], directory: HostPath? = nil, timeout: Double = 60
    ) throws -> Run.Outcome {
        try Run.program(
            BuiltBinary.path, arguments, environment: environment, input: input, directory: directory,
            timeout: timeout)
    }

    /// Runs the program, which has to succeed.
    @discardableResult
    func succeed(
        _ arguments: String..., input: [UInt8] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Run.Outcome {
        let outcome = try Run.program(BuiltBinary.path, arguments, environment: environment, input: input)
        try #require(
            outcome.status == .success, "\(arguments): \(outcome.stderr)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs the program, which has to refuse with status 1 and one clear line that names all of `names`, and to
    /// leave its store as it was.
    @discardableResult
    func refuse(
        _ arguments: String..., naming names: [String], input: [UInt8] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Run.Outcome {
        let before = try snapshot()
        let outcome = try Run.program(BuiltBinary.path, arguments, environment: environment, input: input)
        #expect(outcome.status == .failure, "\(arguments)", sourceLocation: sourceLocation)
        let errors = outcome.stderr.split(separator: "\n").filter { $0.hasPrefix("Error:") }
        #expect(errors.count == 1, "\(outcome.stderr)", sourceLocation: sourceLocation)
        for name in names {
            #expect(outcome.stderr.contains(name), "\(outcome.stderr)", sourceLocation: sourceLocation)
        }
        #expect(outcome.stdout.isEmpty, sourceLocation: sourceLocation)
        #expect(try snapshot() == before, "the store changed", sourceLocation: sourceLocation)
        return outcome
    }

    /// Starts the program and leaves it running.
    func start(_ arguments: String...) throws -> Running {
        try Running.start(BuiltBinary.path, arguments, environment: environment)
    }

    /// Starts the program on a terminal.
    func onTerminal(_ arguments: String..., rows: UInt16 = 24, columns: UInt16 = 80) throws -> TestTerminal {
        try TestTerminal(BuiltBinary.path, arguments, environment: environment, rows: rows, columns: columns)
    }

    /// The names that `list` knows, sorted.
    func names() throws -> [String] { try succeed("list", "--quiet").lines.sorted() }

    /// Where the root file system of a container is.
    func root(of name: String) -> HostPath { directory / "data/chroot-distro/containers/\(name)/rootfs" }

    /// What a shell command inside prints, without the newline at the end.
    func inside(_ name: String, _ script: String) throws -> String {
        let output = try succeed("login", name, "--", "/bin/sh", "-c", script).stdout
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// Every container, image and blob of the store: names, types, modes and sizes, but not what locks it.
    func snapshot() throws -> String {
        try Run.shell(
            """
            # Verified content in the image store may stay; the empty rooms of a store are no content.
            [ ! -d "$1/data" ] || find "$1/data" \\( -name run -o -name locks \\) -prune -o ! -name '*.lock' ! -name unflushed \\
                \\( -path '*/containers/*' -o -path '*/staging/*' -o -path '*/trash/*' -o ! -type d \\) \\
                \\( -type d -printf '%p %y %m\\n' -o -printf '%p %y %m %s\\n' \\) | sort
            grep -o digest "$1"/cache/*/index.json 2>/dev/null | wc -l
            """, directory.rawValue)
    }
}

/// A file outside every root file system that nothing may touch.
struct Canary {
    let path: HostPath
    private let state: String

    init(in directory: HostPath = Scratch.path, name: String = "canary") throws {
        path = directory / name
        try TestImage.write("alive\n", to: path)
        state = try Self.state(of: path)
    }

    /// Expects the file to be what it was: content, inode, owner, mode and times.
    func expectAlive(_ sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            (try? Self.state(of: path)) == state, "the canary was touched", sourceLocation: sourceLocation)
    }

    private static func state(of path: HostPath) throws -> String {
        try Run.shell("stat -c '%i %f %h %u %g %s %y %z' \"$1\"; cat \"$1\"", path.rawValue)
    }
}
