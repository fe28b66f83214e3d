import Platform
import TestSupport
import Testing

/// Installing knows how large a container is by what it wrote and removed; a walk through all files has to agree.
@Suite("A new container's size", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct InstalledSizeTests {
    private func layer(_ fill: (inout TarBuilder) -> Void) -> [UInt8] {
        var builder = TarBuilder()
        fill(&builder)
        return builder.archive
    }

    private func expectMeasured(_ layers: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) throws
    {
        let program = Program()
        try program.install("box", layers: layers) {
            $0.add("data/a", content: .init(repeating: 1, count: 5000))
            $0.add("data/b", content: .init(repeating: 2, count: 700))
            $0.add("data/second", .hardLink, target: "data/a")
            $0.add("data/link", .symbolicLink, target: "a")
            $0.add("data/tree/deep", content: .init(repeating: 3, count: 90))
        }
        let size = try program.succeed("list", "--json").stdout
        try program.succeed("list", "--measure")
        #expect(try program.succeed("list", "--json").stdout == size, sourceLocation: sourceLocation)
    }

    @Test("is what was written, with replaced and removed files taken off")
    func replaced() throws {
        try expectMeasured([
            layer {
                $0.add("data/b", content: .init(repeating: 4, count: 11))
                $0.add("data/link", content: .init(repeating: 5, count: 3000))
                $0.add("data/second", content: .init(repeating: 6, count: 20))
                $0.add("data/new", content: .init(repeating: 7, count: 8))
                $0.add("data/new", content: .init(repeating: 7, count: 9))
            },
            layer {
                $0.add("data/.wh.a", content: [])
                $0.add("data/.wh.nothing", content: [])
                $0.add("data/fifo", .fifo)
            },
        ])
    }

    @Test("is right when whole directories go", arguments: [".wh.data", "data/tree", "data/.wh..wh..opq"])
    func trees(member: String) throws {
        try expectMeasured([layer { $0.add(member, content: member == "data/tree" ? [1, 2, 3] : []) }])
    }
}
