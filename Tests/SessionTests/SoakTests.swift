import Libc
import Platform
import TestSupport
import Testing

@Suite("Many sessions at once", .needsRoot, .needsFile("/bin/busybox"), .needsProgram("python3"))
struct SoakTests {
    /// Up two folders from this one.
    private static let script = HostPath(#filePath).parent.parent.parent / "scripts/soak"

    @Test("see whole roots, die of nobody else's end, never hang, and leave nothing behind")
    func soak() throws {
        let outcome = try Run.program(
            "python3", [Self.script.rawValue, BuiltBinary.path, "60", "200"], timeout: 600)
        #expect(outcome.status == .success, "\(outcome.stdout)\(outcome.stderr)")
        #expect(outcome.stdout.contains(" 0 failures"))
    }
}
