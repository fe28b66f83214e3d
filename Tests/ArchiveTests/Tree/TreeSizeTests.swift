import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("TreeSize", .scratch) struct TreeSizeTests {
    @Test("files count once by their links, and holes count as apparent bytes only")
    func measure() throws {
        try Run.shell(
            "cd $1; mkdir -p a/b && head -c 1000 /dev/zero > a/f && ln a/f a/b/g && truncate -s 1M h && ln -s 12345 s",
            Scratch.path.rawValue)
        let size = try TreeSize.measure(try Directory.open(Scratch.path))
        #expect(size.apparent == 1000 + (1 << 20) + 5)
        #expect(size.allocated < 1 << 16)
        #expect(size.entries == 4)
    }

    @Test("a tree that several threads walk through is measured like a small one")
    func wide() throws {
        // A hundred parts of three levels each; every file has a second name in another part.
        try Run.shell(
            """
            cd $1
            for i in $(seq 10); do for j in $(seq 10); do
                mkdir -p $i/$j/x/y && head -c 100 /dev/zero > $i/$j/x/y/f && ln $i/$j/x/y/f $i/$j/x/other
                mkdir -p other/$j && ln $i/$j/x/y/f other/$j/$i && ln -s 123 $i/$j/s
            done; done
            """, Scratch.path.rawValue)
        let size = try TreeSize.measure(try Directory.open(Scratch.path))
        #expect(size.apparent == 100 * 100 + 100 * 3)
        #expect(size.entries == 400)
        #expect(size == (try TreeSize.measure(try Directory.open(Scratch.path))))
    }
}
