import Platform
import TestSupport
import Testing

/// A guest says where its home and its working directory are; a link of `/proc` to a descriptor that is still open on
/// the way in would lead out (CVE-2024-21626).
@Suite("A guest's paths through /proc", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct DescriptorPathTests {
    private static let modes: [[String]] = [[], ["--isolated"]]
    private static let numbers = 3..<32

    @Test("are no way for its home or working directory to leave the container", arguments: modes)
    func home(mode: [String]) throws {
        let program = try Program.with("box")
        let users = Self.numbers.map { "u\($0):x:\(1000 + $0):0::/proc/self/fd/\($0):/bin/sh" }
        let more = Self.numbers.map { "m\($0):x:\(2000 + $0):0::/proc/self/fd/\($0)/made/deep:/bin/sh" }
        try append(users + more, to: program.root(of: "box") / "etc/passwd")
        let before = try Run.shell("find \"$1\" -name made", program.directory.rawValue)
        for user in users + more {
            let name = String(user.prefix { $0 != ":" })
            let seen = try look(program, mode + ["--user", name])
            #expect(seen.stdout == "same\n", "\(name): \(seen.stderr)")
        }
        #expect(try Run.shell("find \"$1\" -name made", program.directory.rawValue) == before)
    }

    @Test("cannot be asked for as a working directory either", arguments: modes)
    func workingDirectory(mode: [String]) throws {
        let program = try Program.with("box")
        for number in Self.numbers {
            let seen = try look(program, mode + ["--work-dir", "/proc/self/fd/\(number)"])
            #expect(seen.status == .failure && seen.stdout == "", "\(number)")
        }
    }

    /// Says whether the working directory is the container's root, as it is where the home cannot be entered.
    private func look(_ program: Program, _ options: [String]) throws -> Run.Outcome {
        let script = #"[ "$(stat -c %d:%i .)" = "$(stat -c %d:%i /)" ] && echo same || { pwd -P; ls -la .; }"#
        return try Run.program(
            BuiltBinary.path, ["login", "box"] + options + ["--", "/bin/sh", "-c", script],
            environment: program.environment)
    }

    private func append(_ lines: [String], to file: HostPath) throws {
        _ = try Run.shell("printf '%s\\n' \"$2\" >>\"$1\"", file.rawValue, lines.joined(separator: "\n"))
    }
}
