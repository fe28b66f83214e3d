import CLinux
import Libc
import Platform
import TestSupport
import Testing

@testable import Archive

@Suite("TreeWriter", .scratch)
struct TreeWriterTests {
    private func make(_ script: String) throws {
        try Run.shell("mkdir -p $1/tree $1/copy; cd $1/tree; " + script, Scratch.path.rawValue)
    }

    private func copy(
        from: String = "tree", to: String = "copy", _ replacement: TreeWriter.Replacement = .direct
    ) throws -> TreeReport {
        let reader = try TreeReader(try Directory.open(Scratch.path / from))
        let writer = try TreeWriter(try Directory.open(Scratch.path / to), replacement: replacement)
        while let entry = try reader.next() {
            try writer.write(
                entry, at: GuestPath(entry.path), link: .init(GuestPath(entry.linkTarget)), from: reader)
        }
        return try writer.finish()
    }

    /// What two trees that are equal have in common.
    private func description(_ name: String) throws -> [String] {
        try TreeReaderTests.read(Scratch.path / name).entries.map { entry, data in
            "\(entry.path) \(entry.kind) \(entry.permissions) \(entry.owner) \(entry.group) \(entry.size) "
                + "\(entry.modified.tv_sec).\(entry.modified.tv_nsec) \(entry.linkTarget) \(entry.major) "
                + "\(entry.minor) \(entry.attributes) \(entry.stored ?? []) \(data.hashValue)"
        }
    }

    private static let everything = """
        mkdir -m 750 d; mkdir -m 555 closed; printf text >d/f; ln d/f d/g; ln -s nowhere s; mkfifo p; mknod c c 1 3
        head -c 3000000 /dev/urandom >big; truncate -s 5M hole; printf x >>hole; truncate -s 9M tail; : >empty
        chown -h 12:34 d/f s; chmod 6755 d/f; setfattr -n user.a -v 1 d/f; touch -d 1960-02-03T04:05:06.7 big
        printf 'in' >closed/in; touch -h -d 2100-01-01 s; setfattr -h -n trusted.a -v 2 s
        setfattr -n security.capability -v 0x0000000200040000000000000000000000000000 big
        """

    @Test(
        "makes of a tree another one that is like it in everything", .needsRoot, .needsProgram("setfattr"),
        arguments: [TreeWriter.Replacement.direct, .atomic])
    func everything(replacement: TreeWriter.Replacement) throws {
        try make(Self.everything)
        let report = try copy(replacement)
        #expect(report.files == 6 && report.hardLinks == 1 && report.specials == 2 && report.summary == nil)
        #expect(try description("copy") == description("tree"))
        let size = try TreeSize.measure(try Directory.open(Scratch.path / "copy"))
        #expect(size.apparent > 17_000_000 && size.allocated < 4_000_000, "the holes were filled")
    }

    @Test("makes the same by way of an archive", .needsRoot, .needsProgram("setfattr"))
    func archive() throws {
        try make(Self.everything)
        let sink = MemorySink()
        let tar = TarWriter(sink)
        let reader = try TreeReader(try Directory.open(Scratch.path / "tree"))
        while let entry = try reader.next() { try tar.append(entry, from: reader) }
        try tar.finish()
        let archive = TarReader(BufferedChunks(MemorySource(sink.bytes)))
        let writer = try TreeWriter(try Directory.open(Scratch.path / "copy"))
        while let entry = try archive.next() {
            try writer.write(
                entry, at: GuestPath(entry.path), link: .init(GuestPath(entry.linkTarget)), from: archive)
        }
        _ = try writer.finish()
        #expect(try description("copy") == description("tree"))
    }

    @Test(
        "replaces whatever stands in the way, and nothing beside it",
        arguments: [TreeWriter.Replacement.direct, .atomic],
        ["printf old >x", "mkdir -p x/y", "ln -s $1/canary x", "mkfifo x", "printf old >o; ln o x"])
    func replacing(replacement: TreeWriter.Replacement, old: String) throws {
        guard replacement == .direct || !old.contains("mkdir") else { return }
        try make("printf new >x; printf keep >$1/canary; cd $1/copy; " + old)
        _ = try copy(replacement)
        #expect(try Run.succeeding("cat", [(Scratch.path / "copy/x").rawValue]) == "new")
        #expect(try Run.succeeding("cat", [(Scratch.path / "canary").rawValue]) == "keep")
        #expect(try Run.shell("ls -A $1/copy | grep -vx o | wc -l", Scratch.path.rawValue) == "1\n")
        if old.contains("ln o") {
            #expect(try Run.succeeding("cat", [(Scratch.path / "copy/o").rawValue]) == "old")
        }
    }

    @Test("never replaces a directory in one step, nor puts one in the place of something else")
    func directories() throws {
        for (new, old) in [("printf new >x", "mkdir -p x/y"), ("mkdir x", "printf old >x")] {
            try Run.shell("rm -rf $1/tree $1/copy", Scratch.path.rawValue)
            try make("\(new); cd $1/copy; \(old)")
            #expect(throws: TreeError.self) { _ = try copy(.atomic) }
            #expect(try Run.shell("ls -A $1/copy; ls -A $1/copy/x", Scratch.path.rawValue).hasPrefix("x\n"))
            let kept = old.contains("mkdir") ? "test -d $1/copy/x/y" : "test -f $1/copy/x"
            try Run.shell(kept, Scratch.path.rawValue)
        }
    }

    /// Has one file, and fails in the middle of it unless there is nothing in it.
    private final class Failing: EntrySource {
        private let isEmpty: Bool
        init(isEmpty: Bool = false) { self.isEmpty = isEmpty }
        func next() -> TarEntry? { nil }
        func nextStretch() throws -> TarStretch? {
            guard isEmpty else { throw SystemError("read", code: EIO) }
            return nil
        }
    }

    @Test("keeps the old when the new cannot be read to its end")
    func failure() throws {
        try make("cd $1/copy; printf old >x")
        let writer = try TreeWriter(try Directory.open(Scratch.path / "copy"), replacement: .atomic)
        var entry = TarEntry(.regular, "x", permissions: 0o644)
        entry.size = 5
        #expect(throws: TreeError.self) { try writer.write(entry, at: "x", from: Failing()) }
        #expect(try Run.shell("cat $1/copy/x; ls -A $1/copy", Scratch.path.rawValue) == "oldx\n")
    }

    @Test("renames a link over a name of the same file, and leaves nothing beside it")
    func linkToItself() throws {
        try make("printf a >x; ln x y; cp -al . $1/copy")
        _ = try copy(.atomic)
        #expect(try Run.shell("cd $1/copy; ls -A; [ x -ef y ]", Scratch.path.rawValue) == "x\ny\n")
    }

    // MARK: - Others in the tree

    /// Makes one attempt at writing into a directory that others exchange for a link.
    private func attempt(_ place: HostPath) throws {
        let writer = try TreeWriter(try Directory.open(place), replacement: .atomic)
        var folder = TarEntry(.directory, "home/a", permissions: 0o777)
        (folder.owner, folder.group) = (12, 34)
        var file = TarEntry(.regular, "home/a/f", permissions: 0o666)
        (file.owner, file.group) = (12, 34)
        let entries = [
            folder, file, TarEntry(.symbolicLink, "home/a/l", permissions: 0o777),
            TarEntry(.directory, "home/a/d", permissions: 0o777),
            TarEntry(.hardLink, "home/a/h", permissions: 0o777),
        ]
        for entry in entries {
            let link = entry.kind == .hardLink ? TreeWriter.LinkTarget("home/a/f") : nil
            _ = try? writer.write(entry, at: GuestPath(entry.path), link: link, from: Failing(isEmpty: true))
        }
        try? writer.delete("home/a/canary") { _ in }
        _ = try? writer.finish()
    }

    @Test("is led nowhere by links that come and go in the place of directories", .needsRoot)
    func swapping() throws {
        try Run.shell(
            "mkdir -p $1/t/home/a $1/t/etc; ln -s ../etc $1/t/home/b; echo alive >$1/t/etc/canary",
            Scratch.path.rawValue)
        let state =
            "cd $1/t/etc && stat -c '%i %a %u %g %s %y %z' . canary && ls -A && test ! -e ../etc/d && cat canary"
        let before = try Run.shell(state, Scratch.path.rawValue)
        let place = Scratch.path / "t"
        let home = try Directory.open(place / "home")
        let raw = home.raw
        let flag = (Scratch.path / "over").rawValue
        try Worker.beside({
            while access(flag, F_OK) != 0 {
                for _ in 0..<64 { _ = cd_renameat2(raw, "a", raw, "b", cd_rename_exchange) }
            }
        }) {
            for _ in 0..<4000 { try attempt(place) }
            try Run.shell(": >$1", flag)
        }
        #expect(try Run.shell(state, Scratch.path.rawValue) == before)
        #expect(try Run.shell("find $1/t/home -name f | wc -l", Scratch.path.rawValue) == "1\n")
    }

    @Test("makes no link to what has taken the place of the file that is meant")
    func wrongLink() throws {
        try make("printf one >f")
        let writer = try TreeWriter(try Directory.open(Scratch.path / "copy"), replacement: .atomic)
        let file = TarEntry(.regular, "f", permissions: 0o600)
        let identity = try #require(try writer.write(file, at: "f", from: Failing(isEmpty: true)))
        let target = TreeWriter.LinkTarget("f") { FileIdentity($0) == identity }
        let link = TarEntry(.hardLink, "g", permissions: 0o600)
        try writer.write(link, at: "g", link: target, from: Failing())
        try Run.shell("cd $1/copy; echo other >o; mv o f", Scratch.path.rawValue)
        #expect(throws: TreeError.self) { try writer.write(link, at: "h", link: target, from: Failing()) }
        #expect(try Run.shell("cd $1/copy; ls -A; cat g", Scratch.path.rawValue) == "f\ng\n")
    }

    @Test(
        "gives directories their last state however deep they are, and however many cannot have it",
        arguments: [TreeWriter.Replacement.direct, .atomic])
    func deep(replacement: TreeWriter.Replacement) throws {
        try make("")
        let name = RawString(String(repeating: "n", count: 200))
        var path = GuestPath.root
        let writer = try TreeWriter(try Directory.open(Scratch.path / "copy"), replacement: replacement)
        for _ in 0..<40 {
            path = path.appending(name)
            var entry = TarEntry(.directory, path.relative, permissions: 0o751)
            entry.modified = timespec(tv_sec: 5, tv_nsec: 0)
            try writer.write(entry, at: path, from: Failing())
        }
        var file = TarEntry(.regular, path.appending("f").relative, permissions: 0o640)
        file.modified = timespec(tv_sec: 6, tv_nsec: 0)
        try writer.write(file, at: path.appending("f"), from: Failing(isEmpty: true))
        let link = TarEntry(.hardLink, "g", permissions: 0o640)
        try writer.write(link, at: "g", link: .init(path.appending("f")), from: Failing())
        _ = try writer.finish()
        let reading = try TreeReaderTests.read(Scratch.path / "copy")
        #expect(reading.entries.count == 43)
        #expect(
            reading.entries.dropFirst().filter { $0.entry.kind == .directory }.allSatisfy {
                $0.entry.permissions == 0o751 && $0.entry.modified.tv_sec == 5
            })
    }

    @Test("unlinks only what nobody has touched, whatever its time says")
    func untouched() throws {
        try make("cd $1/copy; printf one >f; printf one >g; printf one >h; ln h i")
        let directory = try Directory.open(Scratch.path / "copy")
        let known = try Dictionary(
            uniqueKeysWithValues: ["f", "g", "h", "i"].map { ($0, try directory.status(RawString($0))) })
        try Run.shell("cd $1/copy; touch -r g r; printf two >g; touch -r r g", Scratch.path.rawValue)
        let writer = try TreeWriter(try directory.duplicate(), replacement: .atomic)
        for (name, isGone) in [("f", true), ("g", false), ("h", true), ("i", true)] {
            let status = try #require(known[name])
            let found = try writer.unlink(GuestPath(name), ifStill: status)
            #expect(found == isGone, "\(name)")
        }
    }
}

@Suite("TreeRemoval", .scratch)
struct TreeRemovalTests {
    @Test("tells each path once it is gone, the deepest first")
    func told() throws {
        try Run.shell("mkdir -p $1/t/a/b; : >$1/t/a/b/f; ln -s / $1/t/l", Scratch.path.rawValue)
        let paths = Paths()
        try TreeRemoval { paths.all.append($0.description) }.remove(
            "t", from: try Directory.open(Scratch.path))
        #expect(Set(paths.all) == ["/l", "/a/b/f", "/a/b", "/a", "/"])
        #expect(paths.all.last == "/")
        #expect(try paths.all.firstIndex(of: "/a/b/f") ?? 9 < #require(paths.all.firstIndex(of: "/a/b")))
    }

    private final class Paths: @unchecked Sendable { var all: [String] = [] }

    @Test("empties a directory and keeps it; what is not there is no error")
    func empty() throws {
        try Run.shell("mkdir -p $1/t/a/b; : >$1/t/f", Scratch.path.rawValue)
        try TreeRemoval().empty(try Directory.open(Scratch.path / "t"))
        #expect(try Run.shell("ls -A $1/t; ls $1", Scratch.path.rawValue) == "t\n")
        try TreeRemoval().remove("nothing", from: try Directory.open(Scratch.path))
    }

    @Test("deletes a tree that somebody else is deleting as well")
    func together() throws {
        try Run.shell(
            "for i in $(seq 60); do mkdir -p $1/t/$i/x/y; for j in $(seq 20); do : >$1/t/$i/x/y/$j; done; done",
            Scratch.path.rawValue)
        let base = Scratch.path
        try Worker.beside({ _ = try? Run.shell("rm -rf $1/t", base.rawValue) }) {
            try TreeRemoval().remove("t", from: try Directory.open(base))
        }
        #expect(access((base / "t").rawValue, F_OK) != 0)
    }

    @Test("says where something is mounted, and touches nothing behind it", .needsRoot)
    func mount() throws {
        try Run.shell(
            "mkdir -p $1/t/a/mnt $1/canary; echo keep >$1/canary/f", Scratch.path.rawValue)
        let base = Scratch.path
        let error = try PrivateMounts.run { () -> TreeRemovalError? in
            try Run.shell("mount --bind $1/canary $1/t/a/mnt", base.rawValue)
            let directory = try Directory.open(base)
            do { try TreeRemoval().remove("t", from: directory) } catch let error as TreeRemovalError {
                return error
            }
            return nil
        }
        #expect(error?.isMount == true && error?.path == "/a/mnt")
        #expect(access((Scratch.path / "canary/f").rawValue, F_OK) == 0)
    }
}
