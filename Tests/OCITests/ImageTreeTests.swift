import Archive
import Libc
import Platform
import Testing

@testable import OCI

@Suite("The tree of an image")
struct ImageTreeTests {
    @Test(
        "is what the layers make on a disk, whatever they do to each other",
        .enabled(if: isRoot, "needs root"))
    func agreesWithApplier() throws {
        var generator = Lehmer(state: 20_261_121)
        var compared = 0
        for round in 0..<150 {
            let layers = (0..<3).map { _ in Self.layer(&generator) }
            let scratch = try LayersScratch()
            do { try scratch.apply(layers) } catch { continue }
            let tree = try Self.tree(layers)
            let diff = try LayerDiff(Directory.open(HostPath(scratch.root)), made: nil) { _ in tree }
            let changes = try diff.run().filter(Self.counts)
            #expect(
                changes.isEmpty,
                "round \(round): \(changes.map { "\($0.kind) \($0.path) \($0.aspects.words)" })")
            let key = [UInt8](repeating: 7, count: 32)
            let again = try #require(ImageTree(tree.encoded(key: key), key: key))
            let second = try LayerDiff(Directory.open(HostPath(scratch.root)), made: nil) { _ in again }
            #expect(try second.run().filter(Self.counts).isEmpty, "round \(round)")
            let recorded = try #require(ImageTree(Self.recorded(layers, limit: 1 << 20) ?? [], key: key))
            let third = try LayerDiff(Directory.open(HostPath(scratch.root)), made: nil) { isHashed in
                isHashed ? tree : recorded
            }
            #expect(try third.run().filter(Self.counts).isEmpty, "round \(round)")
            compared += 1
        }
        #expect(compared > 50, "\(compared)")
    }

    /// What is recorded of the layers while they are unpacked.
    private static func recorded(_ layers: [Layer], limit: Int) throws -> [UInt8]? {
        let scratch = try LayersScratch()
        defer { withExtendedLifetime(scratch) {} }
        let applier = try LayerApplier(
            Directory.open(HostPath(scratch.root)), hasOpenat2: Kernel.hasOpenat2, recordLimit: limit)
        applier.record()
        for layer in layers { _ = try LayerPipeline.apply(MemorySource(layer.bytes()), to: applier) }
        return try applier.encodedTree(key: [UInt8](repeating: 7, count: 32))
    }

    @Test("is not recorded where that takes more memory than it may, whatever a layer makes large")
    func limited() throws {
        let note = TarEntry.Attribute("user.note", [UInt8](repeating: 1, count: 5000))
        let heavy = Layer(.file("a").changing { $0.attributes = [note] }, .file("b"))
        #expect(try Self.recorded([heavy], limit: 4000) == nil)
        #expect(try Self.recorded([heavy], limit: 8000) != nil)
        #expect(try Self.recorded([heavy, heavy], limit: 8000) == nil)
        let long = Layer(.symlink("s", to: RawString(String(repeating: "x/", count: 2000))))
        #expect(try Self.recorded([long], limit: 4000) == nil)
    }

    /// The root is of the test's own making; and a directory that was only reached by a link which its own layer then
    /// takes away keeps the time of what was done in it.
    private static func counts(_ change: TreeChange) -> Bool {
        change.path != "." && !(change.file == .directory && change.aspects == .time)
    }

    private static func tree(_ layers: [Layer]) throws -> ImageTree {
        var tree = ImageTree()
        for layer in layers {
            try tree.apply(LayerMember.read(MemorySource(layer.bytes()), blob: ExpectedContent()))
        }
        return tree
    }

    /// A few members over few names, so that they meet often.
    private static func layer(_ generator: inout Lehmer) -> Layer {
        let names: [RawString] = ["a", "b", "c"]
        func path() -> RawString {
            let parts = (0...Int.random(in: 0...2, using: &generator)).map { _ in
                names.randomElement(using: &generator) ?? "a"
            }
            return GuestPath(components: parts).relative
        }
        func whiteout() -> RawString {
            let place = GuestPath(path())
            let name: RawString =
                Bool.random(using: &generator)
                ? ".wh..wh..opq" : RawString(".wh." + (place.lastComponent?.text ?? "a"))
            return place.parent.appending(name).relative
        }
        let members = (0..<Int.random(in: 1...9, using: &generator)).map { _ -> (TarEntry, [UInt8]) in
            let member: Member =
                switch Int.random(in: 0..<16, using: &generator) {
                case 0...2:
                    .directory(path(), mode: [0o700, 0o755, 0o1777].randomElement(using: &generator) ?? 0)
                case 4...8: .file(path(), "\(Int.random(in: 0...9, using: &generator))")
                case 9: .link(path(), to: path())
                case 10...11:
                    .symlink(
                        path(),
                        to: [path(), RawString("/" + path().text), "../b"].randomElement(using: &generator)
                            ?? "a")
                case 12: .fifo(path())
                default: .file(whiteout(), "")
                }
            var entry = member.entry
            entry.modified = timespec(tv_sec: Int.random(in: 1...9, using: &generator), tv_nsec: 5)
            return (entry, member.data)
        }
        return Layer(joining: members)
    }

    @Test("that was kept is not believed when it is damaged, cut or about something else")
    func damage() throws {
        let tree = try Self.tree([Layer(.directory("a"), .file("a/b", "text"), .link("c", to: "a/b"))])
        let key = [UInt8](repeating: 1, count: 32)
        let bytes = try tree.encoded(key: key)
        #expect(ImageTree(bytes, key: key) != nil)
        #expect(ImageTree(bytes, key: [UInt8](repeating: 2, count: 32)) == nil)
        for position in stride(from: 0, to: bytes.count, by: 3) {
            var changed = bytes
            changed[position] ^= 1
            #expect(ImageTree(changed, key: key) == nil)
            #expect(ImageTree(Array(bytes[..<position]), key: key) == nil)
        }
    }

    @Test("knows a sparse file by its data, and one that only looks like it by a byte in a hole")
    func sparse() throws {
        let scratch = try LayersScratch()
        LayersScratch.sh(
            "cd '\(scratch.root)' && truncate -s 1T big && printf x | dd of=big bs=1 seek=5000000000 conv=notrunc 2>/dev/null && touch -d @5 big && chown 0:0 . && chmod 644 big && touch -d @5 ."
        )
        var entry = TarEntry(.regular, "big", permissions: 0o644)
        (entry.size, entry.owner, entry.group) = (1 << 40, getuid(), getgid())
        entry.modified = timespec(tv_sec: 5, tv_nsec: 0)
        entry.stored = [SparseExtent(offset: 5_000_000_000, length: 1)]
        let sink = MemorySink()
        let writer = TarWriter(sink)
        try writer.append(entry)
        try writer.write(Array("x".utf8))
        try writer.finish()
        var tree = ImageTree()
        try tree.apply(LayerMember.read(MemorySource(sink.bytes), blob: ExpectedContent()))
        let made = tree
        func changes() throws -> [RawString] {
            try LayerDiff(Directory.open(HostPath(scratch.root)), made: nil) { _ in made }.run().map(\.path)
                .filter { $0 != "." }
        }
        #expect(try changes().isEmpty)
        LayersScratch.sh(
            "cd '\(scratch.root)' && printf y | dd of=big bs=1 seek=7000000000 conv=notrunc 2>/dev/null && touch -d @5 big"
        )
        #expect(try changes() == ["big"])
    }
}

/// The same numbers each time.
private struct Lehmer: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
