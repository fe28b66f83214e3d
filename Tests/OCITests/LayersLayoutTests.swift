import Libc
import Platform
import Testing

@testable import OCI

@Suite("ArchiveLayout") struct LayersLayoutTests {
    static let system = [
        "bin", "boot/", "dev/", "etc/", "etc/passwd", "home/", "lib", "proc/", "root/", "usr/", "usr/bin/",
        "usr/lib/", "var/",
    ]

    static func names(_ names: [String], in prefix: String = "") -> [RawString] {
        names.map { RawString(prefix + $0) }
    }

    @Test("an image layout is one with or without ./, and with its mark behind the blobs")
    func oci() throws {
        let blob = "blobs/sha256/" + String(repeating: "a", count: 64)
        #expect(try ArchiveLayout(Self.names(["oci-layout", "index.json"])) == .ociLayout)
        #expect(try ArchiveLayout(Self.names(["./", "./oci-layout", "./blobs/"])) == .ociLayout)
        #expect(try ArchiveLayout(Self.names(["blobs/", "blobs/sha256/", blob])) == .ociLayout)
        #expect(try ArchiveLayout(Self.names(["manifest.json", blob, "oci-layout"])) == .ociLayout)
    }

    @Test("what docker save wrote is told from files")
    func docker() throws {
        #expect(
            try ArchiveLayout(Self.names(["abc/layer.tar", "abc.json", "manifest.json", "repositories"]))
                == .dockerArchive)
    }

    @Test("a backup is named by its folder")
    func backup() throws {
        let names = ["manifest.json", "rootfs/", "rootfs/etc/", "rootfs/usr/"]
        #expect(try ArchiveLayout(Self.names(names, in: "deb/")) == .backup(name: "deb"))
        #expect(try ArchiveLayout(Self.names(names, in: "./deb/")) == .backup(name: "deb"))
    }

    @Test(
        "a system is found wherever it lies, in wrappers of any name",
        arguments: ["", "./", "/", "debian/", "root/", "a/b/root/", "home/me/rootfs/", "var/tmp/x/"])
    func wrapped(prefix: String) throws {
        #expect(try ArchiveLayout(Self.names(Self.system, in: prefix)) == .rootfs(prefix: GuestPath(prefix)))
    }

    @Test("a sample full of usr is not a system in usr")
    func usrOnly() throws {
        let usr = [
            "usr/", "usr/bin/", "usr/lib/", "usr/lib64", "usr/sbin/", "usr/share/", "usr/local/etc/",
            "usr/local/bin/", "usr/local/lib/",
        ]
        #expect(try ArchiveLayout(Self.names(usr)) == .rootfs(prefix: .root))
        #expect(try ArchiveLayout(Self.names(usr, in: "w/")) == .rootfs(prefix: "w"))
    }

    @Test(
        "what looks like no system is said to be none",
        arguments: [
            [], ["README", "src/main.c", "src/lib/x.c"], ["lib/", "bin/", "include/"], ["etc/"],
            ["home/photo.jpg"],
        ])
    func unrecognised(names: [String]) {
        #expect(throws: ArchiveLayout.Unrecognised.notASystem) { try ArchiveLayout(Self.names(names)) }
    }

    @Test("only the first components of a name are looked at, so that endless ones cost nothing")
    func endlessNames() throws {
        let tail = String(repeating: "a/", count: 2000)
        let names = ["etc/", "usr/bin/"] + (0..<498).map { "usr/share/\($0)/\(tail)" }
        let start = MonotonicClock.seconds
        #expect(try ArchiveLayout(names.map { RawString($0) }) == .rootfs(prefix: .root))
        #expect(MonotonicClock.seconds - start < 30)
    }

    @Test("hostile names judge nothing")
    func hostile() throws {
        let names = Self.names(["../../etc/", "../usr/", "/bin", "..", ""]) + Self.names(Self.system)
        #expect(try ArchiveLayout(names) == .rootfs(prefix: .root))
    }
}
