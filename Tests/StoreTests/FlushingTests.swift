import Libc
import Platform
import TestSupport
import Testing

@testable import Store

@Suite("A new container's way to the disk", .scratch)
struct FlushingTests {
    private func store() throws -> ContainerStore {
        let root = Scratch.path
        return try ContainerStore.open(
            StateLayout(data: root / "data", cache: root / "cache", run: root / "run"))
    }

    @Test("ends with the mark gone, and holds no lock meanwhile")
    func flushed() throws {
        let store = try store()
        let name = try ContainerName("box")
        let lock = try store.lock(name, .exclusive, for: "test")
        try store.commit(try store.stage(name))
        let container = try store.container(name)
        let before = Flushing.wasInterrupted(container)
        #expect(!before, "the mark is that of this boot")
        Flushing.goOn(container)
        lock.release()
        try store.lock(name, .exclusive, for: "test").release()
        var mark = try container.directory.statusIfPresent("unflushed")
        for _ in 0..<200 where mark != nil {
            usleep(50_000)
            mark = try container.directory.statusIfPresent("unflushed")
        }
        #expect(mark == nil)
    }

    @Test("is remembered when another boot began before it ended")
    func interrupted() throws {
        let store = try store()
        let name = try ContainerName("box")
        try store.commit(try store.stage(name))
        let container = try store.container(name)
        try container.directory.replaceFile("unflushed", with: Array("another boot".utf8))
        let after = Flushing.wasInterrupted(container)
        #expect(after)
    }
}
