import Testing

@testable import Platform

@Suite("GuestPath") struct GuestPathTests {
    @Test(
        "empty components and dots go, climbing stays",
        arguments: [
            ("", "/"), ("/", "/"), (".", "/"), ("//a///b/", "/a/b"), ("./a/./b/.", "/a/b"),
            ("a/../b", "/a/../b"),
            ("..", "/.."), ("...", "/..."), (".hidden", "/.hidden"),
        ])
    func normalises(text: String, expected: RawString) {
        #expect(GuestPath(text).absolute == expected)
    }

    @Test("a component can never smuggle in a path")
    func components() {
        #expect(
            GuestPath(components: ["a/../../b", "", ".", "c"]).components == ["a", "..", "..", "b", "c"])
        #expect(GuestPath("a").appending("b/c").components == ["a", "b", "c"])
        #expect(GuestPath("a").appending("") == "a")
    }

    @Test("within is a matter of components, not of letters")
    func within() {
        #expect(GuestPath("/etc/x").isWithin("/etc"))
        #expect(GuestPath("/etc").isWithin("/etc"))
        #expect(GuestPath("/etc").isWithin(.root))
        #expect(!GuestPath("/etcetera").isWithin("/etc"))
    }

    @Test("parents and relative forms")
    func forms() {
        #expect(GuestPath("/a/b").parent == "/a")
        #expect(GuestPath.root.parent == .root)
        #expect(GuestPath.root.relative == ".")
        #expect(GuestPath("/a/b").relative == "a/b")
        #expect(GuestPath("a/..").climbs && !GuestPath("a/..b").climbs)
    }
}
