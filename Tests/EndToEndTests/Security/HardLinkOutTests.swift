import Platform
import TestSupport
import Testing

@Suite("A hard link out of the root", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HardLinkOutTests {
    @Test("is not made, and nothing is written through it", arguments: Attack.Source.allCases, [true, false])
    func link(_ kind: Attack.Source, isAbsolute: Bool) throws {
        let attack = try Attack()
        let target = isAbsolute ? attack.canary.path.rawValue : "../../../../../outside/canary"
        _ = try attack.install(as: kind) { tar in
            tar.add("alias", .hardLink, target: target)
            tar.add("alias", text: "dead")
        }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("is not made through a symbolic link either", arguments: Attack.Source.allCases)
    func throughLink(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { tar in
            tar.add("trap", .symbolicLink, target: attack.outside.rawValue)
            tar.add("alias", .hardLink, target: "trap/canary")
            tar.add("alias", text: "dead")
        }
        try attack.live()
        try attack.expectNoEscape()
    }
}
