import Platform
import TestSupport
import Testing

@Suite("The demonstration", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct DemoTests {
    private static let script = HostPath(#filePath).parent.parent.parent / "scripts/demo"

    @Test("shows the whole main job with its real output, and leaves nothing")
    func whole() throws {
        let outcome = try Mountinfo.unchanged {
            try Run.program(
                "sh", [Self.script.rawValue, BuiltBinary.path],
                environment: Run.environment.merging(["TMPDIR": Scratch.path.rawValue]) { $1 })
        }
        #expect(outcome.status == .success, "\(outcome.stdout)\(outcome.stderr)")
        let expected = [
            "$ chroot-distro install ./demo.tar --name demo", "inside: ", "as root", "hello from phone",
            "Linux ", "sleep 30", "$ chroot-distro rename demo spare", "Nothing of it is left.",
        ]
        var rest = outcome.stdout[...]
        for text in expected {
            let found = try #require(rest.firstRange(of: text), "\(text) is missing in \(outcome.stdout)")
            rest = rest[found.upperBound...]
        }
        #expect(try Run.shell("ls -A $1", Scratch.path.rawValue).isEmpty)
    }
}
