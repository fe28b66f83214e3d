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

    @Test(
        "with devices in their place reads and writes none of them", .needsProgram("losetup"),
        arguments: files
    )
    func devices(_ name: String) throws {
        let attack = try Attack()
        let disk = Scratch.path / "disk"
        let content = String(repeating: "evil:x:0:0:evil:/:/bin/sh\n", count: 1000).prefix(16384)
        try FileDescriptor.open(disk, O_WRONLY | O_CREAT, mode: 0o600).writeAll(String(content))
        let device = try Run.succeeding("losetup", ["--find", "--show", disk.rawValue]).split(
            separator: "\n")[0]
        defer { _ = try? Run.succeeding("losetup", ["--detach", String(device)]) }
        let number = try #require(UInt32(device.drop { !$0.isNumber }))
        let outcome = try attack.install(as: .image) { $0.add(name, .blockDevice, device: (7, number)) }
        #expect(outcome.status == .success, "\(outcome.stderr)")
        let evil = try attack.program.run("login", "box", "-u", "evil", "--", "true", timeout: 20)
        #expect(evil.status != .success, "an account was read from the device")
        try attack.live()
        try attack.expectNoEscape()
        try Run.succeeding("sync", [String(device)])
        #expect(try Run.succeeding("cat", [disk.rawValue]) == content)
    }

    @Test("gives no user from a passwd outside", arguments: ["/etc/passwd", "../../../../../../etc/passwd"])
    func hostAccounts(_ target: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: .image) { $0.add("etc/passwd", .symbolicLink, target: target) }
        let outcome = try attack.program.run("login", "box", "-u", "daemon", "--", "true", timeout: 20)
        #expect(outcome.status != .success, "the host's accounts were read")
    }
}
