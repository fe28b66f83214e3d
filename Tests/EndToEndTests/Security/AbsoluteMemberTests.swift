import Libc
import Platform
import TestSupport
import Testing

@Suite("A member with an absolute name", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct AbsoluteMemberTests {
    @Test("stays inside the root", arguments: Attack.Source.allCases)
    func file(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add(attack.outside.rawValue + "/new", text: "escaped") }
        try attack.live()
        try attack.expectNoEscape()
    }
}
