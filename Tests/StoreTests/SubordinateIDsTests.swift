import Platform
@testable import Store
import TestSupport
import Testing

@Suite("The ids of isolated containers", .scratch)
struct SubordinateIDsTests {
    private func ids(_ users: String, _ groups: String) -> SubordinateIDs {
        SubordinateIDs(users: Array(users.utf8), groups: Array(groups.utf8))
    }

    private func store() throws -> ContainerStore {
        try ContainerStore.open(
            StateLayout(data: Scratch.path / "data", cache: Scratch.path / "cache", run: Scratch.path / "run")
        )
    }

    private func add(_ name: String) throws {
        try Run.succeeding("mkdir", ["-p", "\(Scratch.path)/data/containers/\(name)/rootfs"])
    }

    @Test("are root's own where both files give it some")
    func own() {
        let ids = ids("me:100000:65536\nroot:200000:131072\n", "root:200000:131072\n")
        #expect(ids.ofRoot == [IDRange(start: 200000, count: 131072)])
        #expect(Array(ids.places().prefix(2)).map(\.start) == [200000, 265536])
    }

    @Test("are only those that root has as users and as groups")
    func common() {
        let ids = ids("root:100000:100000\n", "root:150000:100000\n")
        #expect(ids.ofRoot == [IDRange(start: 150000, count: 50000)])
    }

    @Test("avoid every range of somebody else's, in either file")
    func others() {
        let first = ids("", "").places().first { _ in true }
        #expect(first != nil)
        let start = first?.start ?? 0
        let taken = ids("me:\(start + 5):1\n", "you:\(start + 70000):65536\n")
        #expect(taken.places().first { _ in true }?.start == start + 3 * 65536)
    }

    @Test(
        "come from lines that say something, whatever else stands there",
        arguments: [
            "root", "root:x:65536", "root:4294967295:65536", "root:-1:2", "root:1:2:3", ":::", "\0\u{7f}",
        ])
    func malformed(_ line: String) {
        let ids = ids(line + "\nroot:300000:65536\n", line + "\nroot:300000:65536\n")
        #expect(ids.ofRoot == [IDRange(start: 300000, count: 65536)])
    }

    @Test("differ between containers, stay with each, and are free again when it is removed")
    func allocation() throws {
        for name in ["a", "b", "c"] { try add(name) }
        let store = try store()
        let none = ids("", "")
        func range(_ name: String) throws -> IDRange {
            try store.range(of: store.container(ContainerName(name)), among: none)
        }
        let (a, b) = (try range("a"), try range("b"))
        #expect(!a.overlaps(b) && a.count == 65536)
        #expect(try range("a") == a)
        try Run.succeeding("rm", ["-r", "\(Scratch.path)/data/containers/a"])
        #expect(try range("c") == a)
        #expect(try range("b") == b)
    }

    @Test("are given out anew when somebody else has got them, and to the copy of a container")
    func conflicts() throws {
        for name in ["a", "b"] { try add(name) }
        let store = try store()
        let a = try store.range(of: store.container(ContainerName("a")), among: ids("", ""))
        let later = ids("me:\(a.start + 100):10\n", "")
        let again = try store.range(of: store.container(ContainerName("a")), among: later)
        #expect(!again.overlaps(a))
        try Run.succeeding(
            "cp", ["\(Scratch.path)/data/containers/a/ids", "\(Scratch.path)/data/containers/b/ids"])
        #expect(!(try store.range(of: store.container(ContainerName("b")), among: later)).overlaps(again))
    }

    @Test("are only looked for when nothing may change")
    func peek() throws {
        try add("a")
        let store = try store()
        _ = try store.range(of: store.container(ContainerName("a")), among: ids("", ""), recording: false)
        #expect(try Run.shell("ls \"$1/data/containers/a\"", Scratch.path.rawValue) == "rootfs\n")
    }

    @Test("differ for twenty containers that ask at once")
    func concurrency() throws {
        for number in 0..<20 { try add("c\(number)") }
        let scratch = Scratch.path
        try AtOnce.run(20) { number in
            let store = try ContainerStore.open(
                StateLayout(data: scratch / "data", cache: scratch / "cache", run: scratch / "run"))
            _ = try store.range(
                of: store.container(ContainerName("c\(number)")), among: SubordinateIDs(users: [], groups: [])
            )
        }
        let starts = try Run.shell(
            "cut -d' ' -f1 \"$1\"/data/containers/*/ids | sort -u | wc -l", scratch.rawValue)
        #expect(starts.contains("20"))
    }
}
