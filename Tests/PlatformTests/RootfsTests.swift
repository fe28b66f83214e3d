import CLinux
import Libc
import Testing

@testable import Platform

/// What an attempt to open came to: the inode it reached, or the error.
private enum Outcome: Equatable, CustomStringConvertible {
    case inode(UInt64)
    case failure(Int32)

    var description: String {
        switch self {
        case .inode(let number): "inode \(number)"
        case .failure(let code): String(cString: strerror(code))
        }
    }
}

private func outcome(_ rootfs: borrowing Rootfs, _ path: GuestPath, _ flags: Int32) -> Outcome {
    do {
        return .inode(try rootfs.open(path, flags, mode: 0o600).status().inode)
    } catch {
        return .failure(error.code)
    }
}

/// A tree with everything that leads a careless resolver out of it or in circles.
private func nastyTree() throws -> Scratch {
    let scratch = try Scratch()
    for name in ["root", "root/etc", "root/usr", "root/usr/bin", "root/deep", "root/deep/er", "outside"] {
        try scratch.makeDirectory(name)
    }
    try scratch.write("outside/secret", "host")
    try scratch.write("secret", "host")
    try scratch.write("root/etc/passwd", "guest")
    try scratch.write("root/usr/bin/sh", "guest")
    try scratch.fifo("root/pipe")
    let links = [
        "bin": "usr/bin", "absolute": "/etc/passwd", "climb": "../../../../etc/passwd", "escape": "../secret",
        "out": "../outside/secret", "hostpath": scratch.path + "/secret", "self": "self", "ping": "pong",
        "pong": "ping", "dangling": "nowhere/at/all", "gone": "gone-target", "rootlink": "/", "dotdot": "..",
        "here": ".", "slash": "etc/", "slashdot": "etc/.", "fileslash": "etc/passwd/",
        "filedot": "etc/passwd/.",
        "filedotdot": "etc/passwd/..", "viafile": "etc/passwd/x", "fifo": "pipe", "gone-slash": "missing/",
        "deep/er/up": "../../etc", "deep/er/abs": "/deep/er/up/passwd", "double": "//etc//passwd",
    ]
    for (name, target) in links { try scratch.link("root/" + name, to: target) }
    try scratch.link("root/chain0", to: "etc/passwd")
    for number in 1...41 { try scratch.link("root/chain\(number)", to: "chain\(number - 1)") }
    return scratch
}

@Suite("Rootfs") struct RootfsTests {
    static let paths = [
        "/", ".", "..", "../..", "etc", "etc/passwd", "etc/passwd/", "etc/passwd/x", "etc/passwd/..",
        "etc/../etc/passwd",
        "missing", "missing/x", "missing/..", "bin", "bin/sh", "bin/../bin/sh", "bin/..", "absolute", "climb",
        "escape",
        "out", "hostpath", "self", "self/x", "ping", "dangling", "gone", "rootlink", "rootlink/etc/passwd",
        "rootlink/../etc", "dotdot", "dotdot/etc/passwd", "here", "here/etc", "slash", "slash/passwd",
        "slashdot",
        "fileslash", "filedot", "filedotdot", "viafile", "pipe", "fifo", "deep/er/up", "deep/er/up/passwd",
        "deep/er/abs",
        "deep/er/up/../usr", "double", "chain39", "chain40", "chain41", "gone-slash", "../secret",
        "../outside/secret",
        "../../../../../../etc/passwd", "bin/sh/..", "pipe/x",
    ]

    static let creationPaths = [
        "/", "..", "etc", "missing", "missing/x", "absolute", "escape", "dangling", "gone", "gone-slash",
        "slashdot",
        "fileslash", "filedot", "here", "fifo", "etc/new", "bin/new", "deep/er/up/new", "escape/new",
        "../new",
    ]

    static let flagSets: [Int32] = [
        cd_o_path, cd_o_path | O_NOFOLLOW, O_RDONLY | O_NONBLOCK, O_RDONLY | O_DIRECTORY,
        O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
        O_RDONLY | O_DIRECTORY | O_NOFOLLOW, O_RDWR | O_NONBLOCK,
    ]

    @Test(
        "both resolvers reach the same file or fail for the same reason",
        .enabled(if: Kernel.hasOpenat2, "this kernel has no openat2(2)"), arguments: flagSets)
    func agreement(flags: Int32) throws {
        let scratch = try nastyTree()
        let fast = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: true)
        let walk = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: false)
        for path in Self.paths {
            #expect(outcome(fast, GuestPath(path), flags) == outcome(walk, GuestPath(path), flags), "\(path)")
        }
    }

    @Test(
        "both resolvers create the same files",
        .enabled(if: Kernel.hasOpenat2, "this kernel has no openat2(2)"),
        arguments: [
            O_RDWR | O_CREAT | O_NONBLOCK, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK,
            O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
        ])
    func creation(flags: Int32) throws {
        for path in Self.creationPaths {
            var seen: [String] = []
            for openat2 in [true, false] {
                let scratch = try nastyTree()
                let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: openat2)
                let result = outcome(rootfs, GuestPath(path), flags)
                let made = ["gone-target", "etc/new", "usr/bin/new", "new", "missing", "secret"].filter {
                    access(scratch.path + "/root/" + $0, F_OK) == 0
                }
                if case .failure(let code) = result {
                    seen.append("\(code) \(made)")
                } else {
                    seen.append("opened \(made)")
                }
                #expect(access(scratch.path + "/new", F_OK) != 0)
            }
            #expect(seen.count == 2 && seen.first == seen.last, "\(path): \(seen)")
        }
    }

    @Test("no path leads out of the root", arguments: [true, false])
    func confinement(openat2: Bool) throws {
        try #require(!openat2 || Kernel.hasOpenat2)
        let scratch = try nastyTree()
        let secrets = [scratch.path + "/secret", scratch.path + "/outside/secret"].map { path in
            (try? FileDescriptor.open(HostPath(path), O_RDONLY).status().inode) ?? 0
        }
        let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: openat2)
        for path in Self.paths {
            if case .inode(let inode) = outcome(rootfs, GuestPath(path), cd_o_path) {
                #expect(!secrets.contains(inode), "\(path)")
            }
        }
        #expect(try rootfs.readFile("climb", limit: 100) == Array("guest".utf8))
        #expect(throws: SystemError.self) { try rootfs.readFile("escape", limit: 100) }
    }

    @Test("magic links of /proc are refused, plain ones followed", arguments: [true, false])
    func magicLinks(openat2: Bool) throws {
        try #require(!openat2 || Kernel.hasOpenat2)
        let rootfs = Rootfs(adopting: try .open("/proc"), hasOpenat2: openat2)
        for path in ["self/root", "self/root/etc", "self/cwd", "self/exe", "self/fd/0", "self/ns/mnt"] {
            #expect(outcome(rootfs, GuestPath(path), cd_o_path) == .failure(ELOOP), "\(path)")
        }
        #expect(try !rootfs.readFile("self/status", limit: 1 << 20).isEmpty)
        #expect(try !rootfs.readFile("mounts", limit: 1 << 20).isEmpty)
    }

    @Test("a FIFO where a file is expected is refused and does not block", arguments: [true, false])
    func fifo(openat2: Bool) throws {
        try #require(!openat2 || Kernel.hasOpenat2)
        let scratch = try nastyTree()
        let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: openat2)
        #expect(throws: SystemError("openat2", "/fifo", code: EINVAL)) {
            try rootfs.readFile("fifo", limit: 100)
        }
        try rootfs.replaceFile("pipe", with: [1])
        #expect(try rootfs.readFile("fifo", limit: 100) == [1])
    }

    @Test("a file longer than the limit is an error, not a part of it")
    func limit() throws {
        let scratch = try Scratch()
        try scratch.write("long", "12345")
        let rootfs = try scratch.rootfs(openat2: false)
        #expect(try rootfs.readFile("long", limit: 5).count == 5)
        #expect(throws: SystemError("read", code: EFBIG)) { try rootfs.readFile("long", limit: 4) }
    }

    @Test("missing directories are made inside, also behind dangling links", arguments: [true, false])
    func makesDirectories(openat2: Bool) throws {
        try #require(!openat2 || Kernel.hasOpenat2)
        let scratch = try nastyTree()
        try scratch.link("root/far", to: "../../../outside/made")
        let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: openat2)
        _ = try rootfs.openOrMakeDirectory("a/b/c")
        _ = try rootfs.openOrMakeDirectory("dangling/x")
        _ = try rootfs.openOrMakeDirectory("far")
        for made in ["a/b/c", "nowhere/at/all/x", "outside/made"] {
            #expect(access(scratch.path + "/root/" + made, F_OK) == 0, "\(made)")
        }
        #expect(access(scratch.path + "/outside/made", F_OK) != 0)
        for hopeless in ["ping/x", "etc/passwd/x", "missing/.."] as [GuestPath] {
            #expect(throws: SystemError.self) { _ = try rootfs.openOrMakeDirectory(hopeless) }
        }
    }

    @Test("a web of links that never ends is an error and no crash", arguments: [true, false])
    func endless(openat2: Bool) throws {
        try #require(!openat2 || Kernel.hasOpenat2)
        let scratch = try nastyTree()
        let deep = String(repeating: "/a", count: 2000)
        for number in 0..<41 { try scratch.link("root/l\(number)", to: "l\(number + 1)\(deep)") }
        let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: openat2)
        #expect(throws: SystemError.self) { _ = try rootfs.openOrMakeDirectory("l0/f") }
    }

    @Test("the status of nothing is nil")
    func status() throws {
        let scratch = try nastyTree()
        let rootfs = Rootfs(adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: false)
        #expect(try rootfs.status("missing")?.kind == nil)
        #expect(try rootfs.status("etc/passwd/x")?.kind == nil)
        #expect(try rootfs.status("absolute")?.kind == .regular)
    }

    @Test("replacing a file replaces a link, not what it names")
    func replaceLink() throws {
        let scratch = try nastyTree()
        let rootfs = Rootfs(
            adopting: try .open(HostPath(scratch.path) / "root"), hasOpenat2: Kernel.hasOpenat2)
        try rootfs.replaceFile("hostpath", with: Array("new".utf8))
        let host = try FileDescriptor.open(HostPath(scratch.path) / "secret", O_RDONLY)
        #expect(try host.readAll(limit: 100) == Array("host".utf8))
        #expect(try rootfs.readFile("hostpath", limit: 100) == Array("new".utf8))
    }
}
