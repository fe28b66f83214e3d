import Libc
import Platform
import Store
import TestSupport
import Testing

/// What a session adds to a running container is recorded before it is there, and as there afterwards.
@Suite("A bind that a killed session was adding", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct PendingBindTests {
    let container: TestContainer

    init() throws {
        container = try TestContainer(in: Scratch.path)
        try Run.shell(
            "mkdir $1/one $1/two $2/a $2/b; echo 1 >$1/one/f; echo 2 >$1/two/f", container.data.rawValue,
            container.rootfs.rawValue)
    }

    private func source(_ name: String) -> String { (container.data / name).rawValue }

    @Test("counts as the container's where it is in place, and is forgotten where it is not")
    func settled() throws {
        let first = try container.start(script: "echo up; read x")
        _ = try first.read(until: "up")
        #expect(try container.login(["--bind", "\(source("one")):/a"], "true").status == .success)
        // As the record is between the two: /a has been attached, /b has not been.
        let inode = { name in try Run.succeeding("stat", ["-c", "%i", source(name)]).dropLast() }
        let device = try Run.succeeding("stat", ["-c", "%d", source("one")]).dropLast()
        func pending(_ target: String, _ name: String) throws -> String {
            #"{"bind":{"options":"rbind","source":"\#(source(name))","target":"\#(target)"},"device":\#(device),"inode":\#(try inode(name))}"#
        }
        let list = try [pending("/a", "one"), pending("/b", "two")].joined(separator: ",")
        try Run.shell(
            #"""
            sed -i -e 's|{"options":"rbind","source":"[^"]*","target":"/a"}|X|' -e 's/,X//; s/X,//; s/X//' "$1/holder.json"
            sed -i 's|}$|,"pending":['"$2"']}|' "$1/holder.json"
            """#, container.run.rawValue, list)
        #expect(try container.holder()?.pending?.count == 2)
        #expect(try container.holder()?.binds.contains { $0.target == "/a" } == false)
        let other = try container.login(["--bind", "\(source("two")):/a"], "cat", "/a/f")
        #expect(other.status == .failure && other.stderr.contains("/one"), "\(other.stderr)")
        let record = try #require(try container.holder())
        #expect(record.pending == nil)
        #expect(record.binds.contains { $0.target == "/a" } && !record.binds.contains { $0.target == "/b" })
        #expect(
            try container.login(["--bind", "\(source("one")):/b"], "cat", "/a/f", "/b/f").stdout == "1\n1\n")
        _ = try first.finish(input: Array("\n".utf8))
    }

    @Test("is never in the container unknown, at whatever moment it is killed")
    func anyMoment() throws {
        try Run.shell("cd $1; for i in $(seq 400); do mkdir srv$i; done", container.rootfs.rawValue)
        let first = try container.start(script: "echo up; read x")
        _ = try first.read(until: "up")
        var moments = try KillingMoments {
            _ = try container.login(["--bind", "\(source("two")):/a"], "true")
        }
        var number = 0
        while moments.wantsMore(than: 40), number < 400 {
            number += 1
            let session = try container.start([
                "login", "bb", "--bind", "\(source("one")):/srv\(number)", "--", "sh", "-c",
                "echo up; exec sleep 1000",
            ])
            moments.pass()
            session.signal(SIGKILL)
            moments.note(done: try session.finish().stdout == "up\n")
        }
        // The next one that comes looks after what they left.
        let mounted = try container.script("grep -o ' /srv[0-9]* ' /proc/self/mountinfo")
        #expect(moments.hitBothSides && !mounted.lines.isEmpty)
        let recorded = Set(try container.holder()?.binds.map(\.target) ?? [])
        for target in mounted.lines.map({ $0.filter { $0 != " " } }) {
            #expect(recorded.contains(target), "\(target) is bound, and unknown")
        }
        #expect(try container.holder()?.pending == nil)
        _ = try first.finish(input: Array("\n".utf8))
        #expect(container.leftovers().isEmpty)
    }
}
