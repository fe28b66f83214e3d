import Archive
import Libc
import Platform
import Testing

@testable import OCI

/// The same layers through umoci, as root: every type, mode, owner, time, link, attribute and byte is to agree.
@Suite("Layers: umoci") struct LayersOracleTests {
    static let programs = ["umoci", "getfattr", "md5sum", "diff"]

    static let layers = [
        Layer(
            .directory("./", mode: 0o751), .directory("bin"), .directory("usr/lib", mode: 0o2755),
            .file("usr/lib/one"),
            .file("usr/lib/two", mode: 0o4755), .symlink("lib", to: "usr/lib"), .directory("ro", mode: 0o555),
            .file("ro/f", mode: 0o400), .directory("zero", mode: 0), .file("op/a"), .file("op/sub/b"),
            .file("op/sub/deep/c"),
            .directory("op"), .file("keep/k"), .link("keep/k2", to: "keep/k"), .link("k3", to: "keep/k2"),
            .fifo("p"),
            .device("dev/null", major: 1, minor: 3), .symlink("dangling", to: "/no/where"),
            .symlink("s2d", to: "usr"),
            .symlink("s2f", to: "s2d"), .directory("d2f"), .file("d2f/x"), .file("f2d"),
            .file("cap").changing {
                $0.owner = 77
                $0.attributes = [
                    .init("user.note", [1, 2]),
                    .init(
                        "security.capability", [1, 0, 0, 2, 0, 32, 0, 0] + [UInt8](repeating: 0, count: 12)),
                ]
            },
            .directory("marked").changing {
                $0.attributes = [.init("user.old", [1]), .init("trusted.t", [2])]
            },
            .file("old").changing { $0.modified = timespec(tv_sec: -5_000_000, tv_nsec: 999_999_999) }),
        Layer(
            .file("usr/lib/three"), .file("usr/lib/.wh.one"), .file("op/sub/new"), .file("op/.wh..wh..opq"),
            .directory("f2d"), .file("f2d/in"),
            .file("d2f"), .directory("s2d"), .file("s2d/in"), .file("s2f"), .link("e3", to: "usr/lib/three"),
            .file("keep/.wh.k"), .file(".wh.p"), .file("ro/z"), .directory("marked", mode: 0o700)),
        Layer(.file("lib/four"), .file(".wh.dev"), .directory("bin", mode: 0o1777), .file("bin/one")),
    ]

    @Test("agrees", .enabled(if: isRoot && programs.allSatisfy(hasProgram), "needs root and umoci"))
    func agrees() throws {
        let scratch = try LayersScratch()
        let work = scratch.path + "/umoci"
        #expect(
            LayersScratch.sh("mkdir \(work) && cd \(work) && umoci init --layout i && umoci new --image i:t"))
        let place = try Directory.open(HostPath(work))
        for (index, layer) in Self.layers.enumerated() {
            try place.replaceFile(RawString("\(index).tar"), with: layer.bytes(), durable: false)
            #expect(LayersScratch.sh("cd \(work) && umoci raw add-layer --image i:t \(index).tar"))
        }
        #expect(
            LayersScratch.sh("cd \(work) && umoci unpack --image i:t b > log 2>&1 || { tail -2 log; false; }")
        )
        try scratch.apply(Self.layers)
        // Directories that no layer lists have the time of day in both, and umoci leaves it to the root.
        let implied = "-path . -o -path ./keep -o -path ./usr -o -path ./f2d -o -path ./op/sub"
        let list =
            "(find . -not -type d -printf '%p %y %m %U:%G %T@ %n %l %s\\n'; find . -type d -not \\( \(implied) \\)"
            + " -printf '%p %m %U:%G %T@\\n'; find . -type d -printf '%p %m %U:%G\\n'; find . -type f -exec md5sum {} +;"
            + " getfattr -R -h -d -m - .) | sort"
        #expect(LayersScratch.sh("(cd '\(scratch.root)' && \(list)) > \(scratch.path)/ours"))
        #expect(LayersScratch.sh("(cd \(work)/b/rootfs && \(list)) > \(scratch.path)/theirs"))
        #expect(LayersScratch.sh("[ $(wc -l < \(scratch.path)/ours) -gt 40 ]"))
        #expect(LayersScratch.sh("diff \(scratch.path)/ours \(scratch.path)/theirs"))
    }
}
