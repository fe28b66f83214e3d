import Platform
import TestSupport
import Testing

@Suite("A member that changes its kind", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct DuplicateMemberTests {
    /// A directory becomes a link, and what comes next would go through it.
    @Test("opens no way out", arguments: Attack.Source.allCases)
    func directoryToLink(_ kind: Attack.Source) throws {
        let attack = try Attack()
        _ = try attack.install(as: kind) { tar in
            tar.addDirectories("way")
            tar.add("way/first", text: "in")
            tar.add("way", .symbolicLink, target: attack.outside.rawValue)
            tar.add("way/canary", text: "dead")
            tar.add("way/", .directory, mode: 0o777)
        }
        try attack.live()
        try attack.expectNoEscape()
        let mode = try Run.succeeding("stat", ["-c", "%a", attack.outside.rawValue])
        #expect(mode == "755\n", "the directory's mode was changed through a link")
    }

    /// Times and owners of directories are set last: the directory may be a link by then.
    @Test("has no owner or time set through it", arguments: Attack.Source.allCases)
    func lateAttributes(_ kind: Attack.Source) throws {
        let attack = try Attack()
        let before = try Run.succeeding("stat", ["-c", "%u %g %a %Y", attack.outside.rawValue])
        _ = try attack.install(as: kind) { tar in
            tar.add("late/", .directory, mode: 0o777, owner: 4242, time: 1)
            tar.add("late", .symbolicLink, target: attack.outside.rawValue, owner: 4242)
        }
        #expect(try Run.succeeding("stat", ["-c", "%u %g %a %Y", attack.outside.rawValue]) == before)
        try attack.expectNoEscape()
    }
}
