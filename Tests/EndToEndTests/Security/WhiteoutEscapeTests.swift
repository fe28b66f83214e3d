import Platform
import TestSupport
import Testing

@Suite("A whiteout that reaches out", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct WhiteoutEscapeTests {
    @Test(
        "removes nothing outside",
        arguments: [
            "trap/.wh.canary", "trap/.wh..wh..opq", ".wh..", "etc/.wh...",
        ] + Attack.climbs().map { $0 + "outside/.wh.canary" }
            + Attack.climbs().map { $0 + "outside/.wh..wh..opq" })
    func whiteout(_ name: String) throws {
        let attack = try Attack()
        var upper = TarBuilder()
        upper.add(name)
        _ = try attack.install(as: .image, layers: [upper.archive]) { tar in
            tar.add("trap", .symbolicLink, target: attack.outside.rawValue)
        }
        try attack.live()
        try attack.expectNoEscape()
    }
}
