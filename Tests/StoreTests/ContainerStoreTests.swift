import CLinux
import Libc
import Platform
@testable import Store
import TestSupport
import Testing

/// Runs the same work on several threads at once and waits for all of them.
enum AtOnce {
    private final class Work {
        let body: @Sendable (Int) throws -> Void
        let number: Int
        var error: (any Error)?
        init(_ number: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
            self.number = number
            self.body = body
        }
        func run() { do { try body(number) } catch { self.error = error } }
    }

    static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let works = (0..<count).map { Work($0, body) }
        let threads = works.map { work in
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run() }
                    return nil
                }, Unmanaged.passUnretained(work).toOpaque())
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
        if let error = works.compactMap(\.error).first { throw error }
    }
}

@Suite("The store of containers", .scratch)
struct ContainerStoreTests {
    private static func layout(_ base: HostPath) -> StateLayout {
        StateLayout(data: base / "data", cache: base / "cache", run: base / "run")
    }

    private func make(_ names: String...) throws {
        for name in names {
            try Run.shell(
                "mkdir -p $1/data/containers/$2/rootfs/etc; chmod 755 $1 $1/data", Scratch.path.rawValue, name
            )
        }
    }

    private func entry(_ name: String) -> PublicIndex.Entry {
        PublicIndex.Entry(name: name, image: nil, architecture: nil, size: 1, installed: 1)
    }

    @Test("keeps its containers from the eyes of others, but not their names")
    func permissions() throws {
        let store = try ContainerStore.open(Self.layout(Scratch.path))
        try store.updateIndex { $0.containers.append(entry("a")) }
        let modes = try Run.succeeding(
            "stat", ["-c", "%a %n", "--", "containers", "locks", "index.json"],
            directory: Scratch.path / "data")
        #expect(modes == "700 containers\n700 locks\n644 index.json\n")
    }

    @Test("is refused when others may write in it")
    func untrusted() throws {
        try make("a")
        try Run.shell("chmod 777 $1/data", Scratch.path.rawValue)
        #expect(throws: StoreError.untrusted(Scratch.path / "data")) {
            _ = try ContainerStore.open(Self.layout(Scratch.path))
        }
    }

    @Test(
        "does not believe a path that leads to somebody else's directory by now", .needsRoot,
        arguments: ["chown 1234 $1/data", "chmod 777 $1/data", "mv $1/data $1/old; mkdir -m 777 $1/data"])
    func exchanged(_ script: String) throws {
        try make("a")
        let layout = Self.layout(Scratch.path)
        _ = try ContainerStore.rootfsDirectory(of: try ContainerName("a"), in: layout)
        try Run.shell(script, Scratch.path.rawValue)
        #expect(throws: StoreError.untrusted(Scratch.path / "data")) {
            _ = try ContainerStore.rootfsDirectory(of: try ContainerName("a"), in: layout)
        }
    }

    @Test("names what has a root file system, and nothing else")
    func names() throws {
        try make("b", "a", "c.d")
        try Run.shell(
            "cd $1/data/containers; mkdir empty; touch file; ln -s a link; mkdir -p ./.hidden/rootfs",
            Scratch.path.rawValue)
        let store = try ContainerStore.open(Self.layout(Scratch.path))
        #expect(try store.names().map(\.description) == ["a", "b", "c.d"])
        try make("debian")
        #expect(
            throws: StoreError.notInstalled(try ContainerName("debain"), near: try ContainerName("debian"))
        ) {
            _ = try store.container(try ContainerName("debain"))
        }
    }

    @Test("loses no entry of its index when many change it at once")
    func indexAtOnce() throws {
        let layout = Self.layout(Scratch.path)
        _ = try ContainerStore.open(layout)
        try AtOnce.run(8) { thread in
            let store = try ContainerStore.open(layout)
            for number in 0..<20 {
                try store.updateIndex { index in
                    index.containers.append(
                        PublicIndex.Entry(
                            name: "c\(thread)-\(number)", image: nil, architecture: nil, size: 1, installed: 1
                        ))
                }
            }
        }
        #expect(try PublicIndex.read(layout)?.containers.count == 160)
    }

    @Test(
        "makes its index anew when it is garbage",
        arguments: ["garbage", "", "{}", "[1]", #"{"schema":1,"containers":[{"name":7}]}"#])
    func indexGarbage(_ text: String) throws {
        try make("a", "b")
        try TestImage.write(text, to: Scratch.path / "data/index.json")
        let store = try ContainerStore.open(Self.layout(Scratch.path))
        try store.reconcileIndex { _ in 5 }
        #expect(try PublicIndex.read(Self.layout(Scratch.path))?.containers.map(\.name) == ["a", "b"])
    }

    @Test("measures while nobody has to wait for it, and keeps what has changed meanwhile")
    func measuring() throws {
        try make("a", "b", "c")
        let layout = Self.layout(Scratch.path)
        let store = try ContainerStore.open(layout)
        try store.updateIndex { $0.containers = [entry("b"), entry("c")] }
        func isFree() throws -> Bool {
            let lock = try FileLock.attempt(store.locks, ContainerStore.indexLock, .exclusive)
            return lock != nil
        }
        try store.reconcileIndex { container in
            #expect(container.name.description == "a")
            let free = try isFree()
            #expect(free)
            // As `rename` and `remove` do it.
            if free {
                try store.rename(try ContainerName("b"), to: try ContainerName("d"))
                try store.updateIndex { $0.containers[0].name = "d" }
                try store.remove(try ContainerName("c"))
            }
            return 5
        }
        #expect(try PublicIndex.read(layout)?.containers.map(\.name) == ["a", "d"])
        try make("e")
        try store.updateIndex { $0.containers.append(entry("e")) }
        try store.measureAll { container in
            let free = try isFree()
            #expect(free)
            if container.name.description == "a", free {
                try store.updateIndex { $0.containers[1].installed = 2 }
                try store.remove(try ContainerName("e"))
            }
            return 7
        }
        let index = try PublicIndex.read(layout)?.containers.map { "\($0.name) \($0.size)" }
        #expect(index == ["a 7", "d 1"])
    }

    @Test("does not forget what runs while somebody is starting it or has installed it anew")
    func forgetting() throws {
        let layout = Self.layout(Scratch.path)
        let store = try ContainerStore.open(layout)
        let name = try ContainerName("a")
        _ = try SessionRegistry.open(name, in: layout)
        func isKnown() -> Bool { SessionRegistry.read(name, in: layout) != nil }
        let starting = try store.lock(name, .shared, for: "login")
        #expect(try !RunCensus.erase(name, from: store))
        starting.release()
        try make("a")
        #expect(try !RunCensus.erase(name, from: store))
        #expect(isKnown())
        try Run.shell("rm -r $1/data/containers/a", Scratch.path.rawValue)
        #expect(try RunCensus.erase(name, from: store))
        #expect(!isKnown())
    }

    @Test("knows of a mount in a container before it removes anything")
    func mountPoints() throws {
        try make("a", "ab")
        let store = try ContainerStore.open(Self.layout(Scratch.path))
        let base = Scratch.path.rawValue + "/data/containers/"
        let name = try ContainerName("a")
        try store.requireUnmounted(
            name, mountPoints: ["/", "/proc", base + "ab/rootfs/x", Scratch.path.rawValue])
        #expect(throws: StoreError.mountInside(name, "/mnt/x")) {
            try store.requireUnmounted(name, mountPoints: [base + "a/rootfs/mnt/x"])
        }
    }

    @Test("is locked by one change or by many sessions")
    func locks() throws {
        try make("a")
        let store = try ContainerStore.open(Self.layout(Scratch.path))
        let name = try ContainerName("a")
        let one = try store.lock(name, .shared, for: "login")
        let two = try store.lock(name, .shared, for: "login")
        #expect(throws: StoreError.self) { _ = try store.lock(name, .exclusive, for: "remove") }
        one.release()
        two.release()
        let change = try store.lock(name, .exclusive, for: "remove")
        let error = #expect(throws: StoreError.self) { _ = try store.lock(name, .shared, for: "login") }
        #expect(error?.message.contains("remove (process \(getpid()))") == true)
        change.release()
    }
}

@Suite("Containers in the making", .scratch)
struct StagingTests {
    @Test("become visible in one step")
    func commit() throws {
        let store = try ContainerStore.open(StateLayout(data: Scratch.path / "d", cache: "/c", run: "/r"))
        let name = try ContainerName("new")
        let staging = try store.stage(name)
        try staging.write("manifest.json", Array("{}".utf8))
        #expect(try !store.contains(name))
        try store.commit(staging)
        #expect(try store.contains(name))
        #expect(throws: StoreError.nameTaken(name)) { _ = try store.stage(name) }
        #expect(
            try Run.succeeding("ls", ["-A", (Scratch.path / "d/containers/new").rawValue])
                == "manifest.json\nrootfs\nunflushed\n")
    }

    @Test("lose to whoever was faster")
    func race() throws {
        let store = try ContainerStore.open(StateLayout(data: Scratch.path / "d", cache: "/c", run: "/r"))
        let name = try ContainerName("new")
        let first = try store.stage(name)
        let second = try store.stage(name)
        try store.commit(first)
        var error: StoreError?
        do { try store.commit(second) } catch let thrown as StoreError { error = thrown }
        #expect(error == .nameTaken(name))
    }

    @Test("are left alone by a sweep while their maker lives, and thrown away afterwards")
    func sweep() throws {
        let store = try ContainerStore.open(StateLayout(data: Scratch.path / "d", cache: "/c", run: "/r"))
        let live = try store.stage(try ContainerName("live"))
        do { _ = try store.stage(try ContainerName("dead")) }
        try store.sweep()
        try store.sweep()
        let left = try Run.succeeding("ls", [(Scratch.path / "d/staging").rawValue])
        #expect(left.hasPrefix("live.") && left.split(separator: "\n").count == 1, "\(left)")
        #expect(try Run.succeeding("ls", [(Scratch.path / "d/trash").rawValue]).isEmpty)
        try live.discard(in: store)
        #expect(try Run.succeeding("ls", [(Scratch.path / "d/staging").rawValue]).isEmpty)
    }

    @Test("are swept even when another place cannot be")
    func sweepFails() throws {
        let store = try ContainerStore.open(StateLayout(data: Scratch.path / "d", cache: "/c", run: "/r"))
        do { _ = try store.stage(try ContainerName("dead")) }
        // A lock that is a directory can be taken by nobody.
        try Run.shell("mkdir $1/d/locks/index; mkdir -p $1/d/trash/thrown", Scratch.path.rawValue)
        let error = #expect(throws: SystemError.self) { try store.sweep() }
        #expect(error?.code == EISDIR)
        #expect(try Run.succeeding("ls", [(Scratch.path / "d/staging").rawValue]).isEmpty)
        #expect(try Run.succeeding("ls", [(Scratch.path / "d/trash").rawValue]).isEmpty)
    }
}

@Suite("Removing a container", .scratch)
struct TreeRemovalTests {
    private func store(_ script: String) throws -> ContainerStore {
        try Run.shell(
            "mkdir -p $1/data/containers/a/rootfs; chmod 755 $1/data; cd $1/data/containers/a/rootfs; "
                + script, Scratch.path.rawValue)
        return try ContainerStore.open(StateLayout(data: Scratch.path / "data", cache: "/c", run: "/r"))
    }

    private var rest: String {
        get throws {
            try Run.succeeding(
                "find",
                [(Scratch.path / "data").rawValue, "-path", "*/containers/*", "-o", "-path", "*/trash/*"])
        }
    }

    @Test("takes a tree of thousands of levels")
    func deep() throws {
        let store = try store(":")
        var deepest = try Directory.open(Scratch.path / "data/containers/a/rootfs")
        for _ in 0..<3000 {
            try deepest.makeDirectory("d", mode: 0o755)
            try deepest.openFile("f", O_WRONLY | O_CREAT).close()
            deepest = try deepest.openDirectory("d")
        }
        try store.remove(try ContainerName("a"))
        #expect(try rest == "")
    }

    @Test(
        "takes sockets, FIFOs, devices, links, names of any bytes and directories without permissions",
        .needsRoot)
    func kinds() throws {
        let store = try store(
            """
            mkfifo fifo; mknod dev c 1 3; ln -s /etc link; ln -s / root; mkdir -m 0 closed; mkdir ro; : >ro/f; chmod 500 ro
            : >"$(printf 'new\\nline')"; : >"$(printf '\\377\\376')"; : >'-rf'; : >' '; : >'*'; mkdir '\\'
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")' 2>/dev/null || :
            : >one; ln one two
            """)
        var deleted = 0
        try store.remove(try ContainerName("a")) { _ in deleted += 1 }
        #expect(deleted >= 15)
        #expect(try rest == "")
        #expect(access("/etc/passwd", F_OK) == 0)
    }

    @Test("takes immutable and append-only files", .needsRoot, .needsProgram("chattr"))
    func immutable() throws {
        let store = try store("mkdir d; : >d/i; : >a; chattr +i d/i; chattr +a a; chattr +i d")
        try store.remove(try ContainerName("a"))
        #expect(try rest == "")
    }

    @Test(
        "takes an immutable directory that holds nothing but directories", .needsRoot, .needsProgram("chattr")
    )
    func immutableParent() throws {
        let store = try store("mkdir -p x/y/z; chattr +i x/y x")
        try store.remove(try ContainerName("a"))
        #expect(try rest == "")
    }

    /// What removing the container says while the canary is mounted at `place` in it.
    private func removalError(_ place: String) throws -> StoreError? {
        let base = Scratch.path
        return try PrivateMounts.run { () -> StoreError? in
            try Run.shell(
                "mount --bind $1/canary $1/data/containers/a/rootfs/$2", base.rawValue, place)
            let store = try ContainerStore.open(StateLayout(data: base / "data", cache: "/c", run: "/r"))
            do { try store.remove(try ContainerName("a")) } catch let error as StoreError { return error }
            return nil
        }
    }

    @Test("stops at a mount of the same file system, behind which nothing is touched", .needsRoot)
    func mount() throws {
        let store = try store("mkdir -p x/mnt; mkdir $1/canary; echo keep >$1/canary/file")
        let error = try removalError("x/mnt")
        #expect(error == .mountInside(try ContainerName("a"), "/rootfs/x/mnt"))
        #expect(try Run.succeeding("cat", [(Scratch.path / "canary/file").rawValue]) == "keep\n")
        try store.sweep()
        #expect(try rest == "")
    }

    @Test("stops at a file that is mounted", .needsRoot)
    func mountedFile() throws {
        _ = try store(": >f; echo keep >$1/canary")
        #expect(try removalError("f") != nil)
        #expect(try Run.succeeding("cat", [(Scratch.path / "canary").rawValue]) == "keep\n")
    }
}

@Suite("The registry of sessions", .scratch)
struct SessionRegistryTests {
    private static func open(_ base: HostPath) throws -> SessionRegistry {
        try SessionRegistry.open(
            try ContainerName("a"), in: StateLayout(data: base, cache: base, run: base / "run"))
    }

    private static func record(_ pid: pid_t) -> SessionRecord {
        SessionRecord(
            ProcessIdentity(pid: pid, startTime: 1, bootID: "b"), kind: .login, user: "root", command: ["sh"],
            started: Int64(pid))
    }

    @Test("shows a session exactly as long as it holds its lock")
    func enter() throws {
        let registry = try Self.open(Scratch.path)
        let first = try registry.enter(Self.record(41))
        let second = try registry.enter(Self.record(42))
        #expect(registry.openSessions().map(\.pid) == [41, 42])
        #expect(registry.hasOtherSession(than: 41) == true)
        second.leave()
        #expect(registry.openSessions() == [Self.record(41)])
        #expect(registry.hasOtherSession(than: 41) == false)
        first.leave()
        #expect(registry.openSessions().isEmpty)
    }

    @Test("takes a record without a lock for a dead session and removes it")
    func dead() throws {
        let registry = try Self.open(Scratch.path)
        _ = try registry.enter(Self.record(7))
        try Run.shell(
            "cd $1/run/a/sessions; cp /etc/hostname 9.json; echo x >x.json; echo x >07.json; mkdir 5.json",
            Scratch.path.rawValue)
        #expect(registry.openSessions().isEmpty)
        #expect(try !Run.succeeding("ls", [(Scratch.path / "run/a/sessions").rawValue]).contains("9.json"))
    }

    @Test("shows an open session whose record is damaged")
    func damaged() throws {
        let registry = try Self.open(Scratch.path)
        let ticket = try registry.enter(Self.record(8))
        for text in ["", "{", #"{"pid":9}"#, "null"] {
            try TestImage.write(text, to: Scratch.path / "run/a/sessions/8.json")
            #expect(registry.openSessions().map(\.pid) == [8])
        }
        ticket.leave()
    }

    @Test("lets the holder wait for the last session, and a newcomer for the holder")
    func holder() throws {
        let base = Scratch.path
        let registry = try Self.open(base)
        let holder = try registry.holderLock()
        let moments = Moments(try registry.enter(Self.record(1)))
        try AtOnce.run(2) { thread in
            if thread == 0 {
                try holder.waitForLastSession(quiet: -1) {}
                // A dead session's record is not taken for an open one while the holder has all locks.
                try TestImage.write("{}", to: base / "run/a/sessions/3.json")
                moments.seen = try Self.open(base).openSessions().count
                holder.markEnd()
                usleep(50_000)
                moments.isReleased = true
                try holder.release()
            } else {
                usleep(50_000)
                moments.leave()
                // The holder has the lock as soon as its mark can be seen.
                try Waiting.require("the holder has decided") { try Self.open(base).holderIsEnding() }
                let newcomer = try Self.open(base)
                let late = try newcomer.enter(Self.record(2))
                moments.cameAfter = moments.isReleased
                late.leave()
            }
        }
        #expect(moments.seen == 0 && moments.cameAfter)
        let ends = registry.holderIsEnding()
        #expect(ends)
        try registry.clearHolder()
        let stillEnds = registry.holderIsEnding()
        #expect(!stillEnds)
    }

    @Test(
        "reads a damaged record of a holder as none",
        arguments: ["", "{", "[]", #"{"pid":"x"}"#, #"{"pid":1}"#])
    func holderRecord(_ text: String) throws {
        let registry = try Self.open(Scratch.path)
        let identity = try ProcessIdentity.current()
        let bind = HolderRecord.Bind(source: "/a \"q\" \u{1}", target: "/b", options: "rbind,ro")
        let record = HolderRecord(identity: identity, mountNamespace: 7, mode: "default", binds: [bind])
        try registry.setHolder(record)
        #expect(registry.recordedHolder() == record)
        try TestImage.write(text, to: Scratch.path / "run/a/holder.json")
        #expect(registry.recordedHolder() == nil)
    }

    @Test("gives the start lock to one at a time, and up after a while")
    func startLock() throws {
        let registry = try Self.open(Scratch.path)
        let lock = try registry.startLock()
        let other = try registry.startLock(within: .milliseconds(50))
        if other != nil { Issue.record("two have it") }
        lock.release()
        let free = try registry.startLock(within: .milliseconds(50))
        if free == nil { Issue.record("nobody gets it") }
    }

    @Test("forgets everything when it is erased")
    func erase() throws {
        let layout = StateLayout(data: Scratch.path, cache: Scratch.path, run: Scratch.path / "run")
        let registry = try Self.open(Scratch.path)
        _ = try registry.enter(Self.record(7))
        try registry.erase(in: layout)
        if SessionRegistry.read(try ContainerName("a"), in: layout) != nil {
            Issue.record("it is still there")
        }
        #expect(access((Scratch.path / "run/a").rawValue, F_OK) != 0)
    }
}

/// What two threads of a test saw; each member has one writer.
private final class Moments: @unchecked Sendable {
    private var ticket: SessionTicket?
    var seen = -1
    var isReleased = false
    var cameAfter = false
    init(_ ticket: consuming SessionTicket) { self.ticket = consume ticket }
    func leave() { ticket = nil }
}
