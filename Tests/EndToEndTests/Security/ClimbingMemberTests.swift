import Platform
import TestSupport
import Testing

@Suite("A member that climbs out of the root", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct ClimbingMemberTests {
    private static let names = [
        "../escaped", "../../../../../../escaped", "etc/../../../../../escaped", "./../../../escaped",
    ]

    @Test("writes nothing outside", arguments: Attack.Source.allCases, names)
    func file(_ kind: Attack.Source, _ name: String) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add(name, text: "escaped") }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("makes no directory outside", arguments: Attack.Source.allCases)
    func directory(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { $0.add("../../../../escaped/", .directory) }
        try attack.live()
        try attack.expectNoEscape()
    }
}
