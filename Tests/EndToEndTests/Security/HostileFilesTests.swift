import Libc
import Platform
import TestSupport
import Testing

@Suite("A root whose own files are traps", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HostileFilesTests {
    private static let files = ["etc/passwd", "etc/group", "etc/resolv.conf", "etc/hosts", "bin/sh"]

    @Test("with links out of it reads and writes nothing outside", arguments: Attack.Source.allCases, files)
    func links(_ kind: Attack.Source, _ name: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add(name, .symbolicLink, target: attack.canary.path.rawValue) }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("with FIFOs in it keeps nobody waiting", arguments: Attack.Source.allCases, files)
    func fifos(_ kind: Attack.Source, _ name: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add(name, .fifo) }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test(
        "with directories in their place is refused or lived with", arguments: Attack.Source.allCases, files)
    func directories(_ kind: Attack.Source, _ name: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add(name + "/", .directory) }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("with devices in their place writes to none of them", arguments: files)
    func devices(_ name: String) throws {
        let attack = try Attack()
        // The memory device: reading it is forbidden and writing to it is a disaster, opening it is enough.
        _ = try attack.install(as: .image) { $0.add(name, .characterDevice, device: (1, 7)) }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("gives no user from a passwd outside", arguments: ["/etc/passwd", "../../../../../../etc/passwd"])
    func hostAccounts(_ target: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: .image) { $0.add("etc/passwd", .symbolicLink, target: target) }
        let outcome = try attack.program.run("login", "box", "-u", "daemon", "--", "true", timeout: 20)
        #expect(outcome.status != .success, "the host's accounts were read")
    }
}
