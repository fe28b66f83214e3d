import Archive
import Libc
import Platform
import Testing

@testable import OCI

@Suite("LayerApplier") struct LayersApplierTests {
    @Test("files have their content, mode and time to the nanosecond")
    func files() throws {
        let scratch = try LayersScratch()
        let report = try scratch.apply([
            Layer(.file("a/b/c", "text", mode: 0o4751), .symlink("s", to: "../../x"))
        ])
        #expect(report.files == 1 && report.bytes == 4 && report.symbolicLinks == 1)
        #expect(scratch.holds("[ \"$(cat a/b/c)\" = text ] && [ $(stat -c %a a/b/c) = 4751 ]"))
        #expect(scratch.holds("stat -c %.9Y a/b/c s | sort -u | grep -qx 1600000000.123456789"))
        #expect(scratch.holds("[ \"$(readlink s)\" = ../../x ] && [ $(stat -c %a a) = 755 ]"))
    }

    @Test("owners are exact, and setuid survives them", .enabled(if: isRoot))
    func owners() throws {
        let scratch = try LayersScratch()
        let own = { (entry: inout TarEntry) in (entry.owner, entry.group) = (1234, 4_000_000_000) }
        try scratch.apply([
            Layer(
                .file("f", mode: 0o6755).changing(own), .directory("d", mode: 0o2750).changing(own),
                .symlink("s", to: "f").changing(own), .fifo("p").changing(own))
        ])
        for name in ["f", "d", "s", "p"] {
            #expect(scratch.holds("[ $(stat -c %u:%g \(name)) = 1234:4000000000 ]"), "\(name)")
        }
        #expect(scratch.holds("[ $(stat -c %a f) = 6755 ] && [ $(stat -c %a d) = 2750 ]"))
    }

    @Test(
        "a directory ends exactly as it is described, whatever is put into it",
        arguments: [mode_t(0o555), 0, 0o700, 0o1777], [32 << 20, 1])
    func directories(mode: mode_t, ledgerLimit: Int) throws {
        let scratch = try LayersScratch()
        // With next to no memory for what is still to be said of directories, it is said early, and once more.
        try scratch.apply(
            [
                Layer(
                    .directory("d", mode: mode), .file("d/f"), .directory("d/e", mode: mode), .file("d/e/f")),
                Layer(.file("d/e/g")),
            ], ledgerLimit: ledgerLimit)
        // Without root, nobody sees into a directory of mode 0.
        let seen = isRoot || mode != 0 ? "d d/e" : "d"
        let expected = "\(String(mode, radix: 8))-1600000000.123456789"
        #expect(scratch.holds("[ \"$(stat -c %a-%.9Y \(seen) | sort -u)\" = \(expected) ]"))
        #expect(scratch.holds("[ -f d/e/g ]") || mode == 0)
    }

    @Test("the root itself is described like any directory", arguments: ["./", "/", "."] as [RawString])
    func rootEntry(name: RawString) throws {
        let scratch = try LayersScratch()
        try scratch.apply([Layer(.directory(name, mode: 0o711), .file("f"))])
        #expect(scratch.holds("[ $(stat -c %a-%.9Y .) = 711-1600000000.123456789 ]"))
    }

    @Test("hard links are links: to files, and to symbolic links themselves")
    func hardLinks() throws {
        let scratch = try LayersScratch()
        let report = try scratch.apply([
            Layer(.file("a"), .link("d/b", to: "./a"), .symlink("s", to: "/etc/passwd"), .link("t", to: "s")),
            Layer(.link("c", to: "/d/b"), .link("a", to: "a")),
        ])
        #expect(report.hardLinks == 3)
        #expect(scratch.holds("[ a -ef d/b ] && [ a -ef c ] && [ $(stat -c %h a) = 3 ]"))
        #expect(scratch.holds("[ -L t ] && [ $(stat -c %i s) = $(stat -c %i t) ]"))
    }

    @Test("a link to nothing names both ends")
    func missingTarget() throws {
        let scratch = try LayersScratch()
        #expect(throws: TreeError.self) { try scratch.apply([Layer(.file("a"), .link("a", to: "nowhere"))]) }
        #expect(scratch.holds("[ -f a ]"))
    }

    @Test(
        "what stands in the way is replaced, within a layer and by the next",
        arguments: ["file", "directory", "symlink", "fifo", "link"],
        ["file", "directory", "symlink", "fifo", "link"])
    func conflicts(old: String, new: String) throws {
        func members(_ kind: String) -> Member {
            switch kind {
            case "file": .file("x", "content")
            case "directory": .directory("x")
            case "symlink": .symlink("x", to: "other")
            case "fifo": .fifo("x")
            default: .link("x", to: "base")
            }
        }
        let checks = [
            "file": "-f x", "directory": "-d x -a ! -L x", "symlink": "-L x", "fifo": "-p x",
            "link": "x -ef base",
        ]
        for layers in [
            [Layer(.file("base"), members(old)), Layer(members(new))],
            [Layer(.file("base"), members(old), members(new))],
        ] {
            let scratch = try LayersScratch()
            try scratch.apply(layers)
            #expect(scratch.holds("[ \(checks[new] ?? "") ]"))
            #expect(scratch.holds("[ \"$(cat base)\" = new ] && [ ! -e other ]"))
        }
    }

    @Test("a full directory gives way to a file, and a file to a path through it")
    func deepConflicts() throws {
        let scratch = try LayersScratch()
        try scratch.apply([
            Layer(.file("d/e/f"), .file("g")), Layer(.file("d", "now a file"), .file("g/h/i")),
        ])
        #expect(scratch.holds("[ \"$(cat d)\" = 'now a file' ] && [ -f g/h/i ]"))
    }

    @Test("the last of several entries of one name counts")
    func duplicates() throws {
        let scratch = try LayersScratch()
        try scratch.apply([Layer(.file("f", "1"), .link("g", to: "f"), .file("f", "2"))])
        #expect(scratch.holds("[ \"$(cat f g)\" = \"2\n1\" ] || [ \"$(cat f)$(cat g)\" = 21 ]"))
    }

    @Test("a parent that is a symbolic link is followed inside the root", arguments: [true, false])
    func linkedParents(hasOpenat2: Bool) throws {
        let scratch = try LayersScratch()
        try scratch.apply(
            [
                Layer(
                    .directory("usr/lib"), .symlink("lib", to: "usr/lib"), .symlink("abs", to: "/usr"),
                    .symlink("gap", to: "made/here")),
                Layer(.file("lib/a"), .file("abs/b"), .file("gap/c"), .file("lib/sub/d")),
            ], hasOpenat2: hasOpenat2)
        #expect(
            scratch.holds(
                "[ -f usr/lib/a -a -f usr/b -a -f made/here/c -a -f usr/lib/sub/d -a -L lib -a -L gap ]"))
    }

    @Test("parents that a layer does not list keep their times")
    func parentTimes() throws {
        let scratch = try LayersScratch()
        try scratch.apply([
            Layer(.directory("d"), .directory("d/e"), .file("d/e/old")),
            Layer(.file("d/e/new"), .file("d/e/.wh.old")),
        ])
        #expect(
            scratch.holds(
                "[ \"$(stat -c %.9Y d d/e | sort -u)\" = 1600000000.123456789 ] && [ ! -e d/e/old ]"))
    }

    @Test(
        "attributes are set after the owner, and taken off a directory that is described anew",
        .enabled(
            if: isRoot && LayersScratch.can("setfattr -n user.note -v 1 ."),
            "needs root, setfattr, and attributes on /var/tmp"))
    func attributes() throws {
        let scratch = try LayersScratch()
        let capability: [UInt8] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let capable = Member.file("ping", mode: 0o755).changing {
            $0.owner = 55
            $0.attributes = [.init("security.capability", capability), .init("user.note", [0, 1])]
        }
        let marked = Member.directory("d").changing { $0.attributes = [.init("user.old", [1])] }
        let report = try scratch.apply([
            Layer(capable, marked),
            Layer(.directory("d").changing { $0.attributes = [.init("user.new", [2])] }),
        ])
        #expect(report.skippedAttributes == 0)
        let root = try Directory.open(HostPath(scratch.root))
        #expect(try root.attribute(of: "ping", "security.capability") == capability)
        #expect(try root.attribute(of: "ping", "user.note") == [0, 1])
        #expect(try root.attributeNames(of: "d") == ["user.new"])
    }

    @Test(
        "a default ACL of a lower directory is not handed down",
        .enabled(
            if: isRoot && LayersScratch.can("setfacl -d -m u:55:rwx ."), "needs root and ACLs on /var/tmp")
    )
    func defaultACL() throws {
        let scratch = try LayersScratch()
        try scratch.apply([Layer(.directory("d"))])
        try #require(scratch.holds("setfacl -d -m u:55:rwx,g:66:rwx d"))
        try scratch.apply([Layer(.file("d/f", mode: 0o640), .directory("d/e"), .file("d/e/f", mode: 0o600))])
        let root = try Directory.open(HostPath(scratch.root))
        let inside = try root.openDirectory("d")
        #expect(try inside.attributeNames(of: "f") == [] && inside.attributeNames(of: "e") == [])
        #expect(try inside.openDirectory("e").attributeNames(of: "f") == [])
        #expect(scratch.holds("[ $(stat -c %a d/f) = 640 ] && [ $(stat -c %a d/e) = 755 ]"))
        #expect(try root.attributeNames(of: "d") == ["system.posix_acl_default"])
    }

    @Test("marks of overlayfs and labels of the host are not an image's business", .enabled(if: isRoot))
    func foreignAttributes() throws {
        let scratch = try LayersScratch()
        try scratch.apply([
            Layer(.directory("d").changing { $0.attributes = [.init("trusted.overlay.opaque", [0x79])] })
        ])
        #expect(try Directory.open(HostPath(scratch.root)).attributeNames(of: "d") == [])
    }

    @Test(
        "device nodes and FIFOs are made",
        .enabled(if: LayersScratch.can("mknod null c 1 3"), "needs the right to make device nodes"))
    func nodes() throws {
        let scratch = try LayersScratch()
        let report = try scratch.apply([Layer(.device("null", major: 1, minor: 3), .fifo("p"))])
        #expect(report.skippedSpecials == 0)
        #expect(scratch.holds("[ -c null -a -p p ] && [ $(stat -c %t:%T:%a null) = 1:3:666 ]"))
    }

    @Test("a sparse file has holes")
    func sparse() throws {
        let scratch = try LayersScratch()
        var member = Member.file("big", "tail")
        member.entry.size = 64 << 20
        member.entry.stored = [SparseExtent(offset: 32 << 20, length: 4)]
        try scratch.apply([Layer(member)])
        #expect(scratch.holds("[ $(stat -c %s big) = \(64 << 20) ] && [ $(stat -c %b big) -lt 100 ]"))
        #expect(scratch.holds("[ \"$(dd if=big bs=1 skip=\(32 << 20) count=4 2>/dev/null)\" = tail ]"))
    }

    @Test("names with control characters are names like others")
    func strangeNames() throws {
        let scratch = try LayersScratch()
        let name = RawString(bytes: [0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a, 0xff]) ?? ""
        try scratch.apply([Layer(.file(name))])
        #expect(try Directory.open(HostPath(scratch.root)).status(name).kind == .regular)
        let failure = TreeError.missingLinkTarget(member: name, target: name)
        #expect(!failure.message.utf8.contains { $0 < 0x20 })
    }

    @Test("a plain archive can lie in a directory, and has no whiteouts")
    func plain() throws {
        let scratch = try LayersScratch()
        var outside: [RawString] = []
        let layer = Layer(
            .file("box/manifest.json", "{}"), .directory("./box/rootfs", mode: 0o711),
            .file("box/rootfs/.wh.x"),
            .link("box/rootfs/y", to: "box/rootfs/.wh.x"), .file("other/z"))
        let applier = try LayerApplier(try Directory.open(HostPath(scratch.root)))
        _ = try LayerPipeline.apply(
            MemorySource(layer.bytes()), to: applier, .plain(prefix: "box/rootfs"),
            outside: { entry, _ in outside.append(entry.path) })
        #expect(
            scratch.holds("[ \"$(ls -A)\" = \".wh.x\ny\" ] && [ .wh.x -ef y ] && [ $(stat -c %a .) = 711 ]"))
        #expect(outside == ["box/manifest.json", "other/z"])
    }

    @Test("very deep trees come and go", arguments: [70, 600])
    func deep(depth: Int) throws {
        let scratch = try LayersScratch()
        let path = String(repeating: "d/", count: depth)
        try scratch.apply([
            Layer(
                .directory(RawString("t/" + path)), .file(RawString("t/" + path + "f")),
                .file(RawString("t/" + path + "g")), .file("t/x")),
            Layer(.file(RawString("t/" + path + "new")), .file("t/.wh..wh..opq")),
        ])
        #expect(scratch.holds("[ $(find t -type f | wc -l) = 1 ] && [ $(find t -name new | wc -l) = 1 ]"))
        try scratch.apply([Layer(.file(".wh.t"))])
        #expect(scratch.holds("[ -z \"$(ls -A)\" ]"))
    }
}
