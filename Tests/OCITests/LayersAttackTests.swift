import Archive
import Libc
import Platform
import TestSupport
import Testing

@testable import OCI

/// One test for each known way to make an unpacker touch what lies outside of its root.
@Suite("Layers: attacks") struct LayersAttackTests {
    /// Applies what may be refused; whatever happens, the canaries must live.
    ///
    /// Once with openat2(2) and once without.
    private func attack(_ layers: Layer..., lands: String = "true") throws {
        for hasOpenat2 in [true, false] {
            let scratch = try LayersScratch()
            do { try scratch.apply(layers, hasOpenat2: hasOpenat2) } catch is TreeError {} catch is TarError {
            }
            #expect(scratch.canariesLive, "HOST PATH WAS CHANGED")
            #expect(scratch.holds(lands), "openat2: \(hasOpenat2)")
        }
    }

    @Test(
        "names that climb or are absolute stay inside",
        arguments: ["../outside/file", "/../../outside/file", "a/../../outside/file", "./../outside/file"])
    func climbing(name: String) throws {
        try attack(
            Layer(.directory("a"), .file(RawString(name), "evil")),
            lands: "[ \"$(cat outside/file)\" = evil ]")
    }

    @Test("an absolute name starts at the root of the container")
    func absolute() throws {
        let scratch = try LayersScratch()
        let name = scratch.path + "/outside/file"
        try scratch.apply([Layer(.file(RawString(name), "evil"))])
        #expect(scratch.canariesLive)
        #expect(scratch.holds("[ \"$(cat .\(name))\" = evil ]"))
    }

    @Test("`a/../b` is `b`, even where `a` is a link")
    func textualParents() throws {
        try attack(Layer(.symlink("a", to: "/x/y"), .file("a/../b")), lands: "[ -f b -a ! -e x ]")
    }

    @Test(
        "nothing is written through a link",
        arguments: ["../outside", "/../outside", "../../../../../../outside", "a/../../outside"])
    func writeThroughLink(target: String) throws {
        let link = RawString(target)
        try attack(Layer(.symlink("l", to: link), .file("l/file", "evil"), .file("l/dir/new", "evil")))
        try attack(Layer(.symlink("l", to: link)), Layer(.file("l/file", "evil")))
        try attack(Layer(.symlink("l", to: link), .directory("l/new"), .directory("l/dir", mode: 0)))
        try attack(
            Layer(
                .symlink("l", to: link), .symlink("l/s", to: "x"), .fifo("l/p"),
                .device("l/d", major: 1, minor: 3)))
    }

    @Test(
        "a file over a link to a file replaces the link", arguments: ["../outside/file", "/../outside/file"])
    func writeOntoLink(target: String) throws {
        try attack(
            Layer(.symlink("f", to: RawString(target)), .file("f", "evil", mode: 0o777)),
            lands: "[ -f f -a ! -L f ]")
        try attack(
            Layer(.symlink("f", to: RawString(target)), .directory("f", mode: 0o700)),
            lands: "[ -d f -a ! -L f ]")
        try attack(
            Layer(.symlink("f", to: RawString(target)), .symlink("f", to: "z")),
            lands: "[ \"$(readlink f)\" = z ]")
    }

    @Test("absolute links to the host's own paths lead nowhere outside")
    func absoluteLink() throws {
        let scratch = try LayersScratch()
        let outside = RawString(scratch.path + "/outside")
        try scratch.apply([Layer(.symlink("l", to: outside), .file("l/file", "evil"), .file("l/.wh.dir"))])
        #expect(scratch.canariesLive)
        #expect(scratch.holds("[ -f .\(scratch.path)/outside/file ]"))
    }

    @Test(
        "no hard link is made to the outside",
        arguments: [
            "../outside/file", "/../outside/file", "l/file", "f", "l/../outside/file", "/proc/self/exe",
        ])
    func hardLinkOut(target: String) throws {
        try attack(
            Layer(
                .symlink("l", to: "../outside"), .symlink("f", to: "../outside/file"),
                .link("h", to: RawString(target)), .file("h", "evil", mode: 0o777)))
    }

    @Test("whiteouts reach nothing through links", arguments: ["../outside", "/../outside", "/"])
    func whiteoutThroughLink(target: String) throws {
        let link = RawString(target)
        try attack(Layer(.symlink("l", to: link)), Layer(.file("l/.wh.file"), .file("l/.wh.dir")))
        try attack(Layer(.symlink("l", to: link)), Layer(.file("l/.wh..wh..opq")))
        try attack(Layer(.symlink("l", to: link)), Layer(.file(".wh.l")), lands: "[ ! -e l -a ! -L l ]")
        try attack(
            Layer(.symlink("d/l", to: link)), Layer(.file("d/.wh..wh..opq")), lands: "[ -z \"$(ls -A d)\" ]")
        try attack(
            Layer(.file("../.wh.outside"), .file("../outside/.wh..wh..opq"), .file("x/../../.wh.outside")))
    }

    @Test("a parent that becomes a link later takes nothing with it")
    func switchedParent() throws {
        try attack(
            Layer(.file("d/e/a"), .symlink("d", to: "../outside"), .file("d/e/b"), .file("d/file", "evil")),
            lands: "[ -L d ]")
        try attack(
            Layer(.directory("d", mode: 0o777), .symlink("d", to: "../outside"), .file("x")),
            lands: "[ -L d ]")
    }

    @Test("a link to itself or in a circle is an error, not a loop")
    func circles() throws {
        try attack(Layer(.symlink("a", to: "a"), .file("a/f")))
        try attack(Layer(.symlink("a", to: "b"), .symlink("b", to: "a"), .file("a/b/f")))
        try attack(Layer(.symlink("a", to: "a/b"), .file("a/x/f")))
    }

    @Test("a FIFO or a device where a file is to be is replaced, not opened", .timeLimit(.minutes(1)))
    func blocking() throws {
        try attack(
            Layer(.fifo("f"), .file("f", "text"), .fifo("g"), .file("g/x")), lands: "[ \"$(cat f)\" = text ]")
        try attack(
            Layer(.device("f", major: 1, minor: 3), .file("f", "text")), lands: "[ \"$(cat f)\" = text ]")
        try attack(
            Layer(.file("f", "text"), .device("f", major: 1, minor: 3)), lands: isRoot ? "[ -c f ]" : "true")
    }

    @Test("the root cannot be replaced", arguments: [".", "/", "..", "a/.."] as [RawString])
    func rootReplaced(name: RawString) throws {
        let scratch = try LayersScratch()
        #expect(throws: TreeError.self) { try scratch.apply([Layer(.symlink(name, to: "../outside"))]) }
        #expect(throws: TreeError.self) { try scratch.apply([Layer(.link("x", to: name))]) }
        #expect(scratch.canariesLive)
    }

    @Test("names and links of any length are refused or made, never cut")
    func lengths() throws {
        try attack(Layer(.file(RawString(String(repeating: "n", count: 256)))))
        try attack(Layer(.symlink("s", to: RawString(String(repeating: "n", count: 4095)))))
        try attack(Layer(.file(RawString(String(repeating: "a/", count: 2047)))))
    }

    @Test("what is mounted inside the root is neither removed, emptied nor written to", .enabled(if: isRoot))
    func mounts() throws {
        let scratch = try LayersScratch()
        let (outside, mount) = (scratch.path + "/outside", scratch.root + "/m/bind")
        try scratch.apply([Layer(.directory("m/bind"), .file("m/file"))])
        let layers = [
            Layer(.file(".wh.m")), Layer(.file("m/.wh.bind")), Layer(.file("m/.wh..wh..opq")),
            Layer(.file("m")),
            Layer(.file("m/bind")), Layer(.symlink("m/bind", to: "x")), Layer(.file("m/bind/new")),
            Layer(.file("m/bind/.wh.file")), Layer(.directory("m/bind", mode: 0)),
            Layer(.link("l", to: "m/bind/file")),
        ]
        let seen = try PrivateMounts.run { () -> (refused: Int, size: Int64) in
            guard LayersScratch.sh("mount --bind '\(outside)' '\(mount)'") else {
                throw SystemError("mount", mount, code: EIO)
            }
            var refused = 0
            for layer in layers {
                do { try scratch.apply([layer]) } catch is TreeError {
                    refused += scratch.canariesLive ? 1 : 0
                }
            }
            return (refused, try TreeSize.measure(try Directory.open(HostPath(scratch.root))).apparent)
        }
        #expect(seen.refused == layers.count, "HOST PATH WAS CHANGED")
        #expect(scratch.canariesLive, "HOST PATH WAS CHANGED")
        // The canary in the mount has seven bytes; what was left of the layer has less.
        #expect(seen.size < 7)
    }

    @Test("thousands of broken layers stay inside")
    func mutations() throws {
        let base = try Layer(
            .directory("d"), .file("d/f"), .symlink("l", to: "../outside"), .file("l/file"),
            .link("h", to: "d/f"),
            .symlink("d/s", to: "/"), .file("d/s/x"), .file("d/.wh.f"), .directory("../outside"),
            .file("d/.wh..wh..opq")
        ).bytes()
        let scratch = try LayersScratch()
        var random = SystemRandomNumberGenerator()
        let applier = try LayerApplier(try Directory.open(HostPath(scratch.root)))
        let words: [[UInt8]] = ["../", "/", "..", ".wh.", "l/", "d/s/", "outside"].map { Array($0.utf8) }
        for _ in 0..<2000 {
            var bytes = base
            for _ in 0..<3 {
                let start = Int.random(in: 0..<(bytes.count / 512 - 2), using: &random) * 512
                let place =
                    start + ([0, Int.random(in: 0..<12), 156, 157, 160].randomElement(using: &random) ?? 0)
                if place % 512 == 156 {
                    bytes[place] = UInt8.random(in: 0x30...0x37, using: &random)
                } else if let word = words.randomElement(using: &random) {
                    bytes.replaceSubrange(place..<place + word.count, with: word)
                }
                fixChecksum(&bytes, at: start)
            }
            let reader = TarReader(BufferedChunks(MemorySource(bytes)))
            _ = try? applier.apply(reader)
        }
        #expect(scratch.canariesLive, "HOST PATH WAS CHANGED")
    }

    private func fixChecksum(_ bytes: inout [UInt8], at start: Int) {
        guard bytes[start + 257..<start + 262].elementsEqual(Array("ustar".utf8)) else { return }
        bytes.replaceSubrange(start + 148..<start + 156, with: [UInt8](repeating: 0x20, count: 8))
        let digits = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} "
        bytes.replaceSubrange(start + 148..<start + 156, with: Array(text.utf8))
    }
}
