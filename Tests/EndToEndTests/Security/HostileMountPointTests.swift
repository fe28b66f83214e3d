import Libc
import Platform
import TestSupport
import Testing

@Suite("A root whose mount points are traps", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HostileMountPointTests {
    private static let points = ["dev", "proc", "sys", "run", "tmp", "dev/pts", "dev/shm"]

    @Test("with links out of it mounts nothing outside", arguments: points)
    func links(_ name: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: .image) { $0.add(name, .symbolicLink, target: attack.outside.rawValue) }
        try Mountinfo.unchanged { try attack.live() }
        try attack.expectNoEscape()
    }

    @Test("with FIFOs or files in it keeps nobody waiting", arguments: points, [TarBuilder.Kind.fifo, .file])
    func other(_ name: String, _ kind: TarBuilder.Kind) throws {
        let attack = try Attack()
        _ = try attack.install(as: .image) { $0.add(name, kind) }
        try Mountinfo.unchanged { try attack.live() }
        try attack.expectNoEscape()
    }

    /// The racer only renames, and what is bound is the canary's directory: should the program mount where the host
    /// sees it, nothing of the host is at stake.
    @Test("that change while a session starts mount nothing outside")
    func race() throws {
        let attack = try Attack()
        let target = (Scratch.path / "target").rawValue
        try Run.succeeding("mkdir", [target])
        _ = try attack.install(as: .image) { tar in
            tar.addDirectories("mnt", "mnt/in", "mnt/in/side")
            tar.add("mnt.link", .symbolicLink, target: target)
        }
        let script = """
            cd "$1"
            while :; do
                mv -T mnt mnt.away; mv -T mnt.link mnt; mv -T mnt mnt.link; mv -T mnt.away mnt
            done
            """
        let racer = try Running.start("sh", ["-c", script, "sh", attack.program.root(of: "box").rawValue])
        var (started, rounds) = (0, 0)
        while rounds < 20 || (started == 0 && rounds < 200) {
            rounds += 1
            let outcome = try attack.program.run(
                "login", "box", "-b", "\(attack.outside.rawValue):/mnt/in/side", "--", "true", timeout: 20)
            if outcome.status == .success { started += 1 }
        }
        #expect(started > 0, "no session has ever started")
        racer.signalGroup(SIGKILL)
        _ = try racer.finish()
        #expect(try Run.succeeding("ls", ["-A", target]).isEmpty, "something was made behind the link")
        try attack.expectNoEscape()
    }
}
