import Platform
import TestSupport
import Testing

/// All of them are tried in one archive: each member that climbs is taken as one of the root.
@Suite("A member that climbs out of the root", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct ClimbingMemberTests {
    private static let starts = ["", "./", "etc/../", "home/user/../../"]

    @Test("writes nothing outside, however far it climbs", arguments: Attack.Source.allCases, starts)
    func file(_ kind: Attack.Source, _ start: String) throws {
        let attack = try Attack()
        let outcome = try attack.install(as: kind) { tar in
            for (count, climb) in Attack.climbs(from: start).enumerated() {
                tar.add("\(climb)\(attack.escapee)-\(count)", text: "escaped")
            }
        }
        try expectInside(attack, outcome)
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("makes no directory outside", arguments: Attack.Source.allCases)
    func directory(_ kind: Attack.Source) throws {
        let attack = try Attack()
        let outcome = try attack.install(as: kind) { tar in
            for (count, climb) in Attack.climbs().enumerated() {
                tar.add("\(climb)\(attack.escapee)-\(count)/", .directory)
            }
        }
        try expectInside(attack, outcome)
        try attack.live()
        try attack.expectNoEscape()
    }

    private func expectInside(_ attack: Attack, _ outcome: Run.Outcome) throws {
        try #require(outcome.status == .success, "\(outcome.stderr)")
        let landed = try Run.shell(
            "ls \"$1\" | grep -c \"^$2\"", attack.program.root(of: "box").rawValue, attack.escapee)
        #expect(landed == "12\n")
        try attack.expectNoEscape()
    }
}
