import Libc
import Platform
import TestSupport
import Testing

/// An isolated container whose root is hostile, and what of the host it is after.
struct Escape {
    var program: Program
    let canary: Canary

    /// The container has the tool of `attack.c` as `/bin/attack`.
    init(_ extra: (inout TarBuilder) -> Void = { _ in }) throws {
        let tool = try Self.tool()
        let bytes = try FileDescriptor.open(tool, O_RDONLY).readAll(limit: 1 << 24)
        program = try Program.with("box") {
            $0.add("bin/attack", content: bytes, mode: 0o755)
            extra(&$0)
        }
        try Run.shell("mkdir \"$1/outside\"", Scratch.path.rawValue)
        canary = try Canary(in: Scratch.path / "outside")
    }

    /// The tool, made once for each test.
    static func tool() throws -> HostPath {
        let path = Scratch.path / "attack"
        let source = HostPath(#filePath).parent.parent.parent / "Support/attack.c"
        if access(path.rawValue, F_OK) != 0 {
            try Run.succeeding("cc", ["-static", "-O1", "-o", path.rawValue, source.rawValue])
        }
        return path
    }

    /// What a script of the guest's root prints, which has to have been carried out to its end.
    func attempt(
        _ script: String, _ options: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try run(options, script + "\necho reached")
        try #require(
            outcome.status == .success && outcome.stdout.hasSuffix("reached\n"),
            "\(outcome.stdout)\(outcome.stderr)", sourceLocation: sourceLocation)
        return String(outcome.stdout.dropLast(8))
    }

    func run(_ options: [String], _ script: String) throws -> Run.Outcome {
        let words = ["login", "box", "--isolated=strict"] + options + ["--", "/bin/sh", "-c", script]
        return try Run.program(BuiltBinary.path, words, environment: program.environment)
    }
}

/// Whether anything of the host that an escape would change is what it was.
struct HostState: Equatable {
    let settings: String
    let mounts: String
    let program: String

    init() throws {
        settings = try Run.shell(
            """
            cat /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hostname /proc/sys/vm/swappiness 2>/dev/null || true
            ls /proc/sys/fs/binfmt_misc 2>/dev/null; find /sys/fs/cgroup -maxdepth 2 -name release_agent -exec cat {} + 2>/dev/null
            true
            """)
        mounts = try Run.shell("grep -F \"$1\" /proc/1/mountinfo || true", Scratch.path.rawValue)
        program = try Run.shell("stat -c '%i %s %y %a' \"$1\"", BuiltBinary.path)
    }
}
