import Archive
import Libc
import Platform
import Testing

@testable import OCI

@Suite("Whiteout") struct LayersWhiteoutTests {
    @Test("a whiteout hides what lower layers have")
    func plain() throws {
        let scratch = try LayersScratch()
        let report = try scratch.apply([
            Layer(.file("a"), .file("d/e/f"), .symlink("s", to: "a"), .file("keep")),
            Layer(.file(".wh.a"), .file(".wh.d"), .file(".wh.s"), .file(".wh.absent")),
        ])
        #expect(scratch.holds("[ \"$(ls -A)\" = keep ]"))
        #expect(report.removals == 4)
    }

    @Test("the layer's own entries survive its whiteouts, in either order", arguments: [false, true])
    func sameLayer(whiteoutLast: Bool) throws {
        let scratch = try LayersScratch()
        let new = [
            Member.file("x", "2"), .file("d/new"), .directory("d/sub"), .file("d/sub/new"),
            .file("implied/way/new"),
        ]
        let marks = [Member.file(".wh.x"), .file("d/.wh..wh..opq"), .file(".wh.implied")]
        var layer = Layer()
        for member in whiteoutLast ? new + marks : marks + new { layer.append(member) }
        try scratch.apply([
            Layer(
                .file("x", "1"), .file("d/old"), .file("d/sub/old"), .file("d/gone/old"),
                .file("implied/old"), .file("implied/way/old")),
            layer,
        ])
        #expect(
            scratch.holds(
                "[ \"$(cat x)\" = 2 ] && [ \"$(find d implied -type f | sort | tr '\\n' ' ')\" = 'd/new d/sub/new implied/way/new ' ]"
            ))
        #expect(scratch.holds("[ ! -e d/gone ]"))
    }

    @Test("an entry that came by another name of its directory survives as well", arguments: [false, true])
    func throughLink(whiteoutLast: Bool) throws {
        let scratch = try LayersScratch()
        var layer = Layer()
        let members = [Member.file("lib/new"), .file("usr/.wh..wh..opq")]
        for member in whiteoutLast ? members : members.reversed() { layer.append(member) }
        try scratch.apply([
            Layer(.file("usr/lib/old"), .symlink("lib", to: "usr/lib"), .file("usr/old")), layer,
        ])
        #expect(scratch.holds("[ \"$(find usr -type f)\" = usr/lib/new ]"))
    }

    @Test("a hard link survives while the lower name it was made from goes")
    func linkFromBelow() throws {
        let scratch = try LayersScratch()
        try scratch.apply([
            Layer(.file("d/old", "1")), Layer(.link("d/new", to: "d/old"), .file("d/.wh.old")),
        ])
        #expect(scratch.holds("[ \"$(ls d)\" = new ] && [ \"$(cat d/new)\" = 1 ]"))
        try scratch.apply([Layer(.link("d/again", to: "d/new"), .file("d/.wh..wh..opq"))])
        #expect(scratch.holds("[ \"$(ls d)\" = again ]"))
    }

    @Test("an opaque mark in the root empties the root")
    func opaqueRoot() throws {
        let scratch = try LayersScratch()
        try scratch.apply([Layer(.file("a"), .file("b/c")), Layer(.file("n"), .file(".wh..wh..opq"))])
        #expect(scratch.holds("[ \"$(ls -A)\" = n ]"))
    }

    @Test(
        "remainders that are no name, and what aufs kept for itself, mean nothing",
        arguments: [".wh.", ".wh..", ".wh...", "d/.wh...", "d/.wh..", ".wh..wh.aufs", ".wh..wh.plnk"]
            as [RawString])
    func meaningless(name: RawString) throws {
        let scratch = try LayersScratch()
        try scratch.apply([Layer(.file("d/a"), .file("b")), Layer(.file(name))])
        #expect(scratch.holds("[ -f d/a -a -f b ] && [ \"$(ls -A)\" = \"b\nd\" ]"))
        #expect(scratch.canariesLive)
    }

    @Test("a whiteout for something in a directory that is not there makes no directory")
    func absentParent() throws {
        let scratch = try LayersScratch()
        try scratch.apply([
            Layer(.file("f")), Layer(.file("no/such/.wh.x"), .file("f/.wh.y"), .file("gone/.wh..wh..opq")),
        ])
        #expect(scratch.holds("[ \"$(ls -A)\" = f ]"))
    }
}

extension Layer {
    mutating func append(_ member: Member) { self = Layer(joining: members + [(member.entry, member.data)]) }
}
