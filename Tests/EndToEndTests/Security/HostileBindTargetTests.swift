import Platform
import TestSupport
import Testing

@Suite("A bind whose target is a link out of the root", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HostileBindTargetTests {
    @Test("makes nothing outside", arguments: ["/trap", "/trap/new"] + Attack.climbs(from: "/trap/"))
    func target(_ path: String) throws {
        let attack = try Attack()
        let path = path.hasSuffix("/") ? path + attack.escapee : path
        _ = try attack.install(as: .image) { $0.add("trap", .symbolicLink, target: attack.outside.rawValue) }
        let source = (Scratch.path / "source").rawValue
        try Run.succeeding("mkdir", [source])
        try Mountinfo.unchanged {
            _ = try attack.program.run("login", "box", "-b", "\(source):\(path)", "--", "true", timeout: 20)
        }
        try attack.expectNoEscape()
    }

    @Test("starts nobody in a work directory outside")
    func workDirectory() throws {
        let attack = try Attack()
        _ = try attack.install(as: .image) { $0.add("trap", .symbolicLink, target: attack.outside.rawValue) }
        let outcome = try attack.program.run("login", "box", "-w", "/trap", "--", "ls")
        #expect(!outcome.stdout.contains("canary"))
    }
}
