import Platform
import TestSupport
import Testing

@Suite("A link, and then a member behind it", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct SymlinkThenWriteTests {
    @Test("write nothing through an absolute link", arguments: Attack.Source.allCases)
    func absolute(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { tar in
            tar.add("trap", .symbolicLink, target: attack.outside.rawValue)
            tar.add("trap/canary", text: "dead")
            tar.add("trap/new", text: "escaped")
        }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("write nothing through a climbing link", arguments: Attack.Source.allCases)
    func climbing(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { tar in
            tar.add("trap", .symbolicLink, target: "../../../../../outside")
            tar.add("trap/canary", text: "dead")
        }
        try attack.live()
        try attack.expectNoEscape()
    }

    @Test("replace the link itself when the member has its name", arguments: Attack.Source.allCases)
    func sameName(_ kind: Attack.Source) throws {
        let attack = try Attack()
        let outcome = try attack.install(as: kind) { tar in
            tar.add("trap", .symbolicLink, target: attack.canary.path.rawValue)
            tar.add("trap", text: "mine")
        }
        try attack.expectNoEscape()
        if outcome.status == .success {
            #expect(try attack.program.inside("box", "cat /trap") == "mine")
        }
    }

    @Test("write nothing when a later layer goes through a link of an earlier one")
    func layers() throws {
        let attack = try Attack()
        var upper = TarBuilder()
        upper.add("trap/canary", text: "dead")
        _ = try attack.install(as: .image, layers: [upper.archive]) { tar in
            tar.add("trap", .symbolicLink, target: attack.outside.rawValue)
        }
        try attack.live()
        try attack.expectNoEscape()
    }
}
