import Libc
import Platform
import TestSupport
import Testing

@Suite("install", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct InstallTests {
    @Test("takes an OCI layout directory")
    func layout() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try program.succeed("install", image.layout.rawValue, "--name", "box")
        #expect(try program.inside("box", "echo hello") == "hello")
    }

    @Test("takes an OCI archive, as it is or compressed", arguments: ["cat", "gzip", "xz", "zstd", "bzip2"])
    func archive(_ compressor: String) throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try image.pack(as: Scratch.path / "image.tar")
        try Run.shell("\(compressor) <\"$1/image.tar\" >\"$1/image.packed\"", Scratch.path.rawValue)
        try program.succeed("install", (Scratch.path / "image.packed").rawValue, "--name", "box")
        #expect(try program.inside("box", "id -u") == "0")
    }

    @Test(
        "takes a root file system archive in every compression",
        arguments: ["cat", "gzip", "bzip2", "xz", "xz --format=lzma", "zstd"])
    func rootfs(_ compressor: String) throws {
        let program = Program()
        _ = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "box.tar")
        try Run.shell("\(compressor) <\"$1/box.tar\" >\"$1/box.packed\"", Scratch.path.rawValue)
        try program.succeed("install", (Scratch.path / "box.packed").rawValue, "--name", "box")
        #expect(try program.inside("box", "ls /bin/busybox") == "/bin/busybox")
    }

    @Test("finds the root below one or two leading directories", arguments: ["top", "top/rootfs"])
    func strip(_ prefix: String) throws {
        let program = Program()
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try Run.shell(
            """
            mkdir -p "$2/tree/$3"
            tar -C "$2/tree/$3" -xf "$1"
            tar -C "$2/tree" -czf "$2/deep.tar.gz" "${3%%/*}"
            """, path.rawValue, Scratch.path.rawValue, prefix)
        try program.succeed("install", (Scratch.path / "deep.tar.gz").rawValue, "--name", "deep")
        #expect(try program.inside("deep", "pwd; ls -d /bin") == "/root\n/bin")
    }

    @Test("reads an archive from standard input")
    func standardInput() throws {
        let program = Program()
        try program.succeed("install", "-", "--name", "piped", input: BusyboxImage.layer())
        #expect(try program.names() == ["piped"])
    }

    @Test("takes an archive that docker saved", .needsProgram("skopeo"))
    func dockerArchive() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        let path = (Scratch.path / "docker.tar").rawValue
        try Run.succeeding(
            "skopeo",
            ["copy", "--quiet", "oci:\(image.layout.rawValue):latest", "docker-archive:\(path):team/box:1"])
        try program.succeed("install", path, "--name", "saved")
        #expect(try program.inside("saved", "echo in") == "in")
    }

    @Test("takes a backup with what the image said about running it")
    func backup() throws {
        let program = Program()
        try program.install("box", configuration: #"{"Entrypoint":["/bin/echo"],"Cmd":["kept"]}"#)
        try Run.shell(
            "tar -C \"$1\" -czf \"$2/backup.tar.gz\" box/manifest.json box/rootfs",
            program.root(of: "box").parent.parent.rawValue, Scratch.path.rawValue)
        try program.succeed("install", (Scratch.path / "backup.tar.gz").rawValue, "--name", "again")
        #expect(try program.succeed("run", "again").stdout == "kept\n")
    }

    @Test("names a container after the archive's file")
    func nameOfFile() throws {
        let program = Program()
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "my-box.tar")
        try program.succeed("install", path.rawValue)
        #expect(try program.names() == ["my-box"])
    }

    @Test("knows its aliases", arguments: ["add", "i", "in", "ins"])
    func aliases(_ word: String) throws {
        let program = Program()
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try program.succeed(word, path.rawValue, "--override-alias", "box")
        #expect(try program.names() == ["box"])
    }

    @Test("says nothing at all with -q")
    func quiet() throws {
        let program = Program()
        let path = try BusyboxImage.rootfsArchive(in: Scratch.path)
        let outcome = try program.succeed("install", "-q", path.rawValue)
        #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty, "\(outcome.stderr)")
    }

    @Test("ends with the commands to go on with")
    func hints() throws {
        let program = Program()
        let image = try BusyboxImage.layout(
            in: Scratch.path, configuration: #"{"Entrypoint":["/bin/echo"],"Cmd":["hi"]}"#)
        let said = try program.succeed("install", image.layout.rawValue, "--name", "box").stderr
        #expect(said.contains("chroot-distro login box"))
        #expect(said.contains("chroot-distro run box"))
    }

    @Test("keeps owners, modes, hard links, times and extended attributes", .needsProgram("getfattr"))
    func attributes() throws {
        let program = try Program.with("box") { tar in
            tar.add("srv/one", content: [1], mode: 0o4750, owner: 12, group: 34, time: 1_234_567_890)
            tar.add("srv/two", .hardLink, target: "srv/one")
            tar.add("srv/note", content: [2], attributes: ["user.note": Array("kept".utf8)])
        }
        let root = program.root(of: "box").rawValue
        #expect(try Run.shell("stat -c '%a %u %g %h %Y' \"$1/srv/two\"", root) == "4750 12 34 2 1234567890\n")
        #expect(
            try Run.shell("[ \"$1/srv/one\" -ef \"$1/srv/two\" ] && echo same", root) == "same\n")
        #expect(try Run.shell("getfattr --only-values -n user.note \"$1/srv/note\"", root) == "kept")
    }

    @Test("follows the host's resolvers and names localhost")
    func fixups() throws {
        let program = try Program.with("box")
        #expect(try program.inside("box", "cat /etc/hosts").contains("127.0.0.1"))
        #expect(try program.inside("box", "cat /etc/resolv.conf").contains("nameserver"))
    }

    @Test("keeps containers from every other user of the host")
    func privacy() throws {
        let program = try Program.with("box")
        let containers = program.root(of: "box").parent.parent.rawValue
        #expect(try Run.shell("stat -c %a \"$1\"", containers) == "700\n")
    }

    @Test("removes what a layer's whiteouts take away")
    func whiteouts() throws {
        var upper = TarBuilder()
        upper.add("etc/.wh.old")
        upper.add("opt/.wh..wh..opq")
        upper.add("opt/new", text: "new")
        let program = Program()
        try program.install("box", layers: [upper.archive]) { tar in
            tar.add("etc/old", text: "old")
            tar.addDirectories("opt")
            tar.add("opt/below", text: "below")
        }
        #expect(try program.inside("box", "ls /opt; ls /etc/old 2>/dev/null || echo gone") == "new\ngone")
    }
}
