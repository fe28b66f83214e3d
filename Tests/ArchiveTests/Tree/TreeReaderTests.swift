import Libc
import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("TreeReader", .scratch)
struct TreeReaderTests {
    /// Everything that a tree has, with the data of its files.
    struct Reading {
        var entries: [(entry: TarEntry, data: [UInt8])] = []
        var omissions: [String: TreeReader.Omission] = [:]
        var paths: [String] { entries.map(\.entry.path.text) }
        subscript(path: String) -> TarEntry? { entries.first { $0.entry.path.text == path }?.entry }
    }

    /// What is told by a closure.
    private final class Told: @unchecked Sendable { var omissions: [String: TreeReader.Omission] = [:] }

    static func read(
        _ path: HostPath, as prefix: GuestPath = .root, _ options: TreeReader.Options = .init(),
        hasOpenat2: Bool = Kernel.hasOpenat2, meanwhile: (TarEntry) throws -> Void = { _ in }
    ) throws -> Reading {
        let told = Told()
        let reader = try TreeReader(
            try Directory.open(path), as: prefix, options, hasOpenat2: hasOpenat2
        ) { told.omissions[$0.text] = $1 }
        var reading = Reading()
        while let entry = try reader.next() {
            try meanwhile(entry)
            var data: [UInt8] = []
            while let stretch = try reader.nextStretch() { data += stretch.bytes }
            reading.entries.append((entry, data))
        }
        reading.omissions = told.omissions
        return reading
    }

    private var tree: HostPath { Scratch.path / "tree" }

    private func make(_ script: String) throws {
        try Run.shell("mkdir -p $1/tree; cd $1/tree; " + script, Scratch.path.rawValue)
    }

    @Test("gives every kind of file with its owner, mode, time and link", .needsRoot)
    func kinds() throws {
        try make(
            """
            mkdir -m 2750 d; printf text >d/f; chown 12:34 d/f; chmod 4751 d/f; touch -d '1969-01-01 00:00:00.25Z' d/f
            ln d/f d/g; ln -s ../d/f s; ln s t; mkfifo -m 600 p; mknod -m 660 c c 511 7; mknod b b 8 1
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
            """)
        let reading = try Self.read(tree)
        #expect(reading.paths == [".", "b", "c", "d", "d/f", "d/g", "p", "s", "t"])
        let file = try #require(reading["d/f"])
        #expect(file.kind == .regular && file.size == 4 && file.permissions == 0o4751)
        #expect(file.owner == 12 && file.group == 34)
        #expect(file.modified.tv_sec == -31_536_000 && file.modified.tv_nsec == 250_000_000)
        #expect(reading.entries.first { $0.entry.path == "d/f" }?.data == Array("text".utf8))
        #expect(reading["d/g"]?.kind == .hardLink && reading["d/g"]?.linkTarget == "d/f")
        #expect(reading["d"]?.kind == .directory && reading["d"]?.permissions == 0o2750)
        #expect(reading["s"]?.kind == .symbolicLink && reading["s"]?.linkTarget == "../d/f")
        #expect(reading["t"]?.kind == .hardLink && reading["t"]?.linkTarget == "s")
        #expect(reading["p"]?.kind == .fifo)
        #expect(
            reading["c"]?.kind == .characterDevice && reading["c"]?.major == 511 && reading["c"]?.minor == 7)
        #expect(reading["b"]?.kind == .blockDevice && reading["b"]?.major == 8)
        #expect(reading.omissions == ["sock": .socket])
    }

    @Test("puts its prefix before paths and links")
    func prefix() throws {
        try make("mkdir d; : >d/a; ln d/a b")
        let reading = try Self.read(tree, as: "name/rootfs")
        #expect(reading.paths == ["name/rootfs", "name/rootfs/b", "name/rootfs/d", "name/rootfs/d/a"])
        #expect(reading["name/rootfs/d/a"]?.linkTarget == "name/rootfs/b")
    }

    @Test("gives names of any bytes")
    func names() throws {
        try make("")
        let directory = try Directory.open(tree)
        let names: [[UInt8]] = [
            [0xff, 0xfe], Array("new\nline".utf8), Array(repeating: 0x78, count: 255), Array("-rf".utf8),
            [0x5c],
        ]
        for name in names.compactMap({ RawString(bytes: $0) }) {
            try directory.openFile(name, O_WRONLY | O_CREAT, mode: 0o600).close()
        }
        let found = try Self.read(tree).entries.dropFirst().map(\.entry.path.bytes)
        #expect(Set(found) == Set(names))
    }

    @Test("finds the holes of a sparse file", .needsRoot)
    func sparse() throws {
        try make(
            """
            truncate -s 1T huge; printf end | dd of=huge bs=1 seek=1099511627000 conv=notrunc status=none
            truncate -s 1M hole; head -c 70000 /dev/urandom >full; : >empty
            """)
        // Only the parts that have data are read.
        let reading = try Self.read(tree)
        let huge = try #require(reading["huge"])
        #expect(huge.size == 1 << 40 && huge.stored?.count == 1)
        #expect(reading.entries.first { $0.entry.path == "huge" }.map { $0.data.count < 1 << 20 } == true)
        #expect(reading["hole"]?.stored == [])
        #expect(reading["full"]?.stored == nil && reading["empty"]?.stored == nil)
        #expect(reading.entries.first { $0.entry.path == "full" }?.data.count == 70000)
    }

    @Test("joins the nearest parts of a file that has too many holes to tell")
    func manyHoles() {
        var list = ExtentList()
        let count = Int64(SparseMap.limit)
        for index in 0..<count { list.append(SparseExtent(offset: index * 8192, length: 4096)) }
        #expect(list.extents.count <= SparseMap.limit / 2)
        #expect(list.extents.first?.offset == 0)
        #expect(list.extents.last.map { $0.offset + $0.length } == (count - 1) * 8192 + 4096)
        #expect(SparseMap(list.extents, realSize: count * 8192, storedSize: count * 8192) != nil)
    }

    @Test(
        "reads attributes of files, directories and links, but no labels", .needsRoot,
        .needsProgram("setfattr"))
    func attributes() throws {
        try make(
            """
            : >f; mkdir d; ln -s x l
            setfattr -n user.a -v 1 f; setfattr -n security.capability -v 0x0000000200040000000000000000000000000000 f
            setfattr -n user.b -v 2 d; setfattr -h -n trusted.c -v 3 l; setfattr -n trusted.overlay.x -v y d
            """)
        let reading = try Self.read(tree)
        #expect(Set(reading["f"]?.attributes.map(\.name) ?? []) == ["user.a", "security.capability"])
        #expect(reading["d"]?.attributes == [.init("user.b", [0x32])])
        #expect(reading["l"]?.attributes == [.init("trusted.c", [0x33])])
        var options = TreeReader.Options()
        options.readsAttributes = false
        #expect(try Self.read(tree, options)["f"]?.attributes == [])
    }

    @Test("opens no file when nobody wants its data")
    func metadataOnly() throws {
        try make("printf text >f; ln f g; truncate -s 1M hole")
        var options = TreeReader.Options()
        options.readsContent = false
        let reading = try Self.read(tree, options)
        #expect(reading["f"]?.size == 4 && reading["g"]?.kind == .hardLink && reading["hole"]?.stored == nil)
        #expect(reading.entries.allSatisfy { $0.data.isEmpty })
    }

    @Test("leaves out what is mounted inside", .needsRoot, arguments: [true, false])
    func mounts(hasOpenat2: Bool) throws {
        try make(
            "mkdir -p mnt d $1/canary; echo secret >$1/canary/file; : >d/f; : >dev")
        let (base, tree) = (Scratch.path, tree)
        let reading = try PrivateMounts.run {
            try Run.shell(
                """
                cd $1/tree
                mount --bind $1/canary mnt; mount --bind $1/canary/file d/f; mount --bind /dev/null dev
                """, base.rawValue)
            return try Self.read(tree, hasOpenat2: hasOpenat2 && Kernel.hasOpenat2)
        }
        #expect(reading.paths == [".", "d"])
        #expect(reading.omissions == ["mnt": .mountPoint, "d/f": .mountPoint, "dev": .mountPoint])
    }

    @Test("goes thousands of levels down and up again with few open directories")
    func deep() throws {
        try make("")
        var deepest = try Directory.open(tree)
        for _ in 0..<3000 {
            try deepest.makeDirectory("d", mode: 0o755)
            try deepest.openFile("z", O_WRONLY | O_CREAT, mode: 0o600).close()
            deepest = try deepest.openDirectory("d")
        }
        let reading = try Self.read(tree)
        #expect(reading.entries.count == 6001 && reading.omissions.isEmpty)
        #expect(reading.paths.last == "z")
        try TreeRemoval().remove("tree", from: try Directory.open(Scratch.path))
        #expect(access(tree.rawValue, F_OK) != 0)
    }

    @Test("leaves out what vanishes while it reads, and goes nowhere else")
    func vanishing() throws {
        try make(
            "mkdir -p a b c/in $1/outside; : >a/1; : >a/2; : >b/1; : >c/in/x; : >c/z; echo secret >$1/outside/f"
        )
        let base = Scratch.path.rawValue
        let reading = try Self.read(tree) { entry in
            switch entry.path {
            // A file that has been listed already, a whole directory, and one that becomes a link to the outside.
            case "a/1": try Run.shell("rm $1/tree/a/2", base)
            case "b": try Run.shell("rm -r $1/tree/b; ln -s $1/outside $1/tree/b", base)
            case "c": try Run.shell("rm -r $1/tree/c/in; ln -s $1/outside $1/tree/c/in", base)
            default: break
            }
        }
        #expect(reading.paths == [".", "a", "a/1", "b", "c", "c/in", "c/z"])
        #expect(reading["c/in"]?.kind == .symbolicLink)
        #expect(reading.omissions["a/2"] == .vanished)
    }

    @Test("finds back to a directory that had to be closed, and leaves it out when it has been moved away")
    func moved() throws {
        try make("mkdir -p $1/outside; echo secret >$1/outside/z")
        let deep = "d" + String(repeating: "/d", count: 99)
        try make("mkdir -p \(deep); : >d/z; : >d/d/z; : >z; : >\(deep)/y")
        let base = Scratch.path.rawValue
        let reading = try Self.read(tree) { entry in
            guard entry.path.text.hasSuffix("/y") else { return }
            // The second directory has been closed by now; its child is taken to another place.
            try Run.shell("mv $1/tree/d/d/d $1/outside/d; mv $1/tree/d/d $1/outside/e", base)
        }
        #expect(reading.paths.contains("z") && reading.paths.contains("d/z"))
        #expect(!reading.paths.contains("d/d/z"))
        // Nobody can tell what else was in it.
        #expect(reading.omissions["d/d"] == .moved)
        #expect(reading.entries.allSatisfy { $0.data.isEmpty })
    }

    @Test("fills up a file that becomes shorter, and says that it has changed")
    func shrinking() throws {
        try make("head -c 600000 /dev/zero | tr '\\0' x >f; printf a >g")
        let path = (tree / "f").rawValue
        let reading = try Self.read(tree) { entry in
            if entry.path == "f" { truncate(path, 1000) }
        }
        let data = reading.entries.first { $0.entry.path == "f" }?.data ?? []
        #expect(data.count == 600_000 && data[..<1000].allSatisfy { $0 == 0x78 })
        #expect(data[1000...].allSatisfy { $0 == 0 })
        #expect(reading.omissions == ["f": .changed])
    }

    @Test("has the holes of a file as large as files can be")
    func largest() throws {
        // The only file system for it that is everywhere.
        let place = HostPath("/dev/shm/chroot-distro-test-\(UInt64.random(in: 0 ... .max))")
        try Run.shell("mkdir $1", place.rawValue)
        defer { _ = try? Run.shell("rm -r $1", place.rawValue) }
        let file = try Directory.open(place).openFile("f", O_WRONLY | O_CREAT, mode: 0o600)
        guard ftruncate(file.rawValue, .max) == 0 else { return }
        for readsContent in [true, false] {
            var options = TreeReader.Options()
            options.readsContent = readsContent
            let reader = try TreeReader(try Directory.open(place), options)
            _ = try reader.next()
            let entry = try #require(try reader.next().flatMap { try reader.complete($0) })
            #expect(entry.size == .max && entry.stored == [])
        }
    }

    @Test("waits for a lease on a file to end", .needsProgram("python3"))
    func lease() throws {
        try make("printf text >f")
        let holder = """
            import fcntl, os, signal, sys
            file = os.open(sys.argv[1], os.O_RDWR)
            signal.signal(signal.SIGIO, lambda *_: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK))
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            print("on", flush=True)
            while True: signal.pause()
            """
        let running = try Running.start("python3", ["-c", holder, (tree / "f").rawValue])
        _ = try running.read(until: "on")
        let reading = try Self.read(tree)
        running.signal(SIGKILL)
        _ = try running.finish()
        #expect(reading.entries.last?.data == Array("text".utf8) && reading.omissions.isEmpty)
    }

    @Test("names a file that cannot be read, and reads the others", .needsRoot)
    func unreadable() throws {
        let place = HostPath("/dev/shm/chroot-distro-test-\(UInt64.random(in: 0 ... .max))")
        try Run.shell("mkdir $1; cd $1; : >a; echo b >b; ln b c; mkdir d; : >d/e; : >f", place.rawValue)
        defer { _ = try? Run.shell("rm -r $1", place.rawValue) }
        // More names of attributes than the kernel lists (listxattr(2), E2BIG).
        let directory = try Directory.open(place)
        for name in ["b", "d"] as [RawString] {
            for index in 0..<300 {
                let attribute = RawString("trusted.\(index)." + String(repeating: "x", count: 230))
                try directory.setAttribute(of: name, attribute, [1])
            }
        }
        let reading = try Self.read(place)
        #expect(reading.paths == [".", "a", "f"])
        #expect(Set(reading.omissions.keys) == ["b", "c", "d"])
        for omission in reading.omissions.values {
            guard case .unreadable(let error) = omission else {
                Issue.record("\(omission)")
                continue
            }
            #expect(error.code == E2BIG)
        }
    }

    @Test("takes no file for another name of one that it has not read")
    func changedGroups() throws {
        try make("printf one >a; ln a b; ln a c; printf two >x; ln x y; printf gone >m; ln m n; ln m o")
        var options = TreeReader.Options()
        options.readsContent = false
        let reader = try TreeReader(try Directory.open(tree), options)
        var found: [String: String] = [:]
        while let entry = try reader.next() {
            guard entry.kind != .directory else { continue }
            // Another file takes its place between the look at it and the opening.
            if entry.path == "a" {
                try Run.shell("cd $1/tree; printf other >new; mv new a", Scratch.path.rawValue)
            }
            if entry.path == "m" { try Run.shell("rm $1/tree/m", Scratch.path.rawValue) }
            guard let whole = try reader.complete(entry) else { continue }
            var data = whole.linkTarget.bytes
            while let stretch = try reader.nextStretch() { data += stretch.bytes }
            found[entry.path.text] = String(decoding: data, as: UTF8.self)
            // The same file, but not what has been read of it.
            if entry.path == "x" { try Run.shell("printf more >>$1/tree/x", Scratch.path.rawValue) }
        }
        #expect(
            found == ["a": "other", "b": "one", "c": "b", "x": "two", "y": "twomore", "n": "gone", "o": "n"])
    }

    @Test("reads another name as a file of its own when it is asked to")
    func alone() throws {
        try make("printf text >f; ln f g; ln -s f l; ln l m")
        let reader = try TreeReader(try Directory.open(tree))
        var found: [String] = []
        while let entry = try reader.next() {
            let whole = try #require(try reader.complete(entry, alone: true))
            var data = whole.linkTarget.bytes
            while let stretch = try reader.nextStretch() { data += stretch.bytes }
            found.append("\(whole.path) \(whole.kind) \(String(decoding: data, as: UTF8.self))")
        }
        #expect(
            found == [
                ". directory ", "f regular text", "g regular text", "l symbolicLink f", "m symbolicLink f",
            ])
    }

    @Test("leaves out the directory that it is told to leave out")
    func skipping() throws {
        try make("mkdir -p a/b c; : >a/x; : >c/y")
        let reader = try TreeReader(try Directory.open(tree))
        var paths: [String] = []
        while let entry = try reader.next() {
            paths.append(entry.path.text)
            if entry.path == "a" { reader.skipChildren() }
        }
        #expect(paths == [".", "a", "c", "c/y"])
    }

    @Test("leaves no trace in the times of what it reads", .needsRoot)
    func noTrace() throws {
        try make("printf text >f; touch -a -d 2001-01-01 f")
        _ = try Self.read(tree)
        #expect(try Run.succeeding("stat", ["-c", "%X", (tree / "f").rawValue]) == "978307200\n")
    }
}
