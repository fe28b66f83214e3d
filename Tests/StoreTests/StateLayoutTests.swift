import Platform
import Store
import Testing

@Suite("Where the state lies")
struct StateLayoutTests {
    private typealias Facts = StateLayout.Facts

    private static func facts(
        root: Bool = true, termux: HostPath? = nil, data: String? = nil, cache: String? = nil,
        runtime: String? = nil,
        home: HostPath = "/root", system: Bool = false, legacy: Bool = false
    ) -> Facts {
        Facts(
            isRoot: root, termuxPrefix: termux, dataHome: data, cacheHome: cache, runtimeDirectory: runtime,
            home: home,
            hasSystemStore: system, hasLegacyStore: legacy)
    }

    private static let prefix: HostPath = "/data/data/com.termux/files/usr"

    private static let cases: [(Facts, String, String, String)] = [
        // Linux, root.
        (facts(), "/var/lib/chroot-distro", "/var/cache/chroot-distro", "/run/chroot-distro"),
        (
            facts(system: true, legacy: true), "/var/lib/chroot-distro", "/var/cache/chroot-distro",
            "/run/chroot-distro"
        ),
        (
            facts(legacy: true), "/root/.local/share/chroot-distro", "/root/.cache/chroot-distro",
            "/root/.local/share/chroot-distro/run"
        ),
        (facts(data: "/d"), "/d/chroot-distro", "/root/.cache/chroot-distro", "/d/chroot-distro/run"),
        (
            facts(data: "/d", cache: "/c", system: true), "/d/chroot-distro", "/c/chroot-distro",
            "/d/chroot-distro/run"
        ),
        (facts(cache: "/c"), "/var/lib/chroot-distro", "/c/chroot-distro", "/run/chroot-distro"),
        (
            facts(runtime: "/run/user/0"), "/var/lib/chroot-distro", "/var/cache/chroot-distro",
            "/run/chroot-distro"
        ),
        (facts(data: "relative"), "/var/lib/chroot-distro", "/var/cache/chroot-distro", "/run/chroot-distro"),
        // Linux, not root.
        (
            facts(root: false, home: "/home/u"), "/home/u/.local/share/chroot-distro",
            "/home/u/.cache/chroot-distro",
            "/home/u/.local/share/chroot-distro/run"
        ),
        (
            facts(root: false, runtime: "/run/user/5", home: "/home/u"), "/home/u/.local/share/chroot-distro",
            "/home/u/.cache/chroot-distro", "/run/user/5/chroot-distro"
        ),
        (
            facts(root: false, data: "/d", cache: "/c", runtime: "/run/user/5", home: "/home/u"),
            "/d/chroot-distro",
            "/c/chroot-distro", "/d/chroot-distro/run"
        ),
        // Termux.
        (
            facts(termux: prefix), "\(prefix.rawValue)/var/lib/chroot-distro",
            "\(prefix.rawValue)/var/lib/chroot-distro/cache", "\(prefix.rawValue)/var/lib/chroot-distro/run"
        ),
        (
            facts(root: false, termux: prefix), "\(prefix.rawValue)/var/lib/chroot-distro",
            "\(prefix.rawValue)/var/lib/chroot-distro/cache", "\(prefix.rawValue)/var/lib/chroot-distro/run"
        ),
        (
            facts(termux: prefix, data: "/d", system: true), "/d/chroot-distro", "/d/chroot-distro/cache",
            "/d/chroot-distro/run"
        ),
    ]

    @Test("is what the table of the documentation says", arguments: cases.indices)
    func choice(_ index: Int) {
        let (facts, data, cache, run) = Self.cases[index]
        let layout = StateLayout.choose(facts)
        #expect(layout.data.rawValue == data)
        #expect(layout.cache.rawValue == cache)
        #expect(layout.run.rawValue == run)
    }
}

@Suite("A container's name")
struct ContainerNameTests {
    @Test(
        "is one harmless path component",
        arguments: ["a", "A9", "debian-12.5_x", "0", "a..b", String(repeating: "n", count: 200)])
    func legal(_ text: String) throws { #expect(try ContainerName(text).description == text) }

    @Test(
        "is nothing else",
        arguments: [
            "", ".", "..", "-a", ".a", "_a", "a/b", "a b", "a\n", "a\0", "\u{e9}", "e\u{301}", "a:b", "~",
            String(repeating: "n", count: 201),
        ])
    func illegal(_ text: String) {
        let error = #expect(throws: NameError.self) { try ContainerName(text) }
        #expect(error?.text == text)
    }
}
