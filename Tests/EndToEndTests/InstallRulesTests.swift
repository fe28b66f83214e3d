import Libc
import Platform
import TestSupport
import Testing

/// What install promises beside the content: nothing half done, nothing believed, nothing lost.
@Suite("An installation", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct InstallRulesTests {
    @Test("of several containers begins only when every name is free and stands for one of them")
    func names() throws {
        let program = try Program.with("box")
        let fresh = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "fresh.tar")
        let taken = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "box.tar")
        try Run.shell("mkdir $1/other; cp $1/fresh.tar $1/other/", Scratch.path.rawValue)
        let twin = Scratch.path / "other/fresh.tar"
        try program.refuse("install", fresh.rawValue, taken.rawValue, naming: ["box"])
        try program.refuse("install", fresh.rawValue, twin.rawValue, naming: ["fresh"])
        try program.refuse("install", fresh.rawValue, taken.rawValue, "--name", "x", naming: ["--name"])
        #expect(try program.names() == ["box"])
    }

    @Test("stands although the index cannot be written, and says so")
    func index() throws {
        let program = Program()
        let archive = try BusyboxImage.rootfsArchive(in: Scratch.path)
        try Run.shell("mkdir -p -m 755 $1/data/chroot-distro/index.json/x", Scratch.path.rawValue)
        let outcome = try program.succeed("install", archive.rawValue, "--name", "box")
        #expect(outcome.stderr.contains("Warning") && outcome.stderr.contains("index"), "\(outcome.stderr)")
        #expect(try program.inside("box", "echo in") == "in")
        try Run.shell("rm -r $1/data/chroot-distro/index.json", Scratch.path.rawValue)
        #expect(try program.names() == ["box"])
    }

    @Test(
        "refuses a backup whose description is no such thing",
        arguments: ["no JSON", "[1]", "\"text\"", "{\"image_ref\":", "huge"])
    func manifest(_ content: String) throws {
        let program = try Program.with("box")
        try Run.shell(
            """
            cd "$1"; mkdir again; cp -a "$2/rootfs" again/
            if [ "$3" = huge ]; then
                { printf '{"a":"'; head -c 35000000 /dev/zero | tr '\\0' x; printf '"}'; } >again/manifest.json
            else
                printf %s "$3" >again/manifest.json
            fi
            tar -czf backup.tar.gz again/manifest.json again/rootfs; rm -r again
            """, Scratch.path.rawValue, program.root(of: "box").parent.rawValue, content)
        try program.refuse(
            "install", (Scratch.path / "backup.tar.gz").rawValue, "--name", "again",
            naming: ["backup.tar.gz", "manifest.json"])
        #expect(try program.names() == ["box"])
    }

    @Test(
        "believes no image store that somebody else could have filled",
        arguments: ["chown 1234", "chmod 777", "chmod 775"])
    func cache(_ change: String) throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Run.shell(
            "mkdir -p $1/cache/chroot-distro; \(change) $1/cache/chroot-distro", Scratch.path.rawValue)
        let folder = (Scratch.path / "cache/chroot-distro").rawValue
        try program.refuse("install", image.layout.rawValue, "--name", "box", naming: [folder, "trusted"])
        let archive = try BusyboxImage.rootfsArchive(in: Scratch.path)
        let bytes = try FileDescriptor.open(archive, O_RDONLY).readAll(limit: 64 << 20)
        try program.refuse("install", "-", "--name", "box", naming: [folder], input: bytes)
    }

    @Test("makes no program setuid to whom it was not meant for", .needsProgram("unshare"))
    func setuid() throws {
        let program = Program()
        let archive = try BusyboxImage.rootfsArchive(in: Scratch.path) { tar in
            tar.add("srv/own", content: [1], mode: 0o4755)
            tar.add("srv/other", content: [1], mode: 0o6755, owner: 12, group: 34)
            tar.add("srv/plain", content: [1], mode: 0o640, owner: 12, group: 34)
        }
        // In a user namespace with one user, nobody else's files can be made.
        let outcome = try Run.program(
            "unshare",
            [
                "--user", "--map-root-user", BuiltBinary.path, "install", archive.rawValue, "--name", "box",
            ], environment: program.environment)
        #expect(outcome.status == .success && outcome.stderr.contains("owner"), "\(outcome.stderr)")
        let facts = try Run.shell(
            "cd $1/srv; stat -c '%n %a %u' own other plain", program.root(of: "box").rawValue)
        #expect(facts == "own 4755 0\nother 755 0\nplain 640 0\n")
    }

    @Test("needs the end mark of a plain archive, and not that of a layer, whose digest says more")
    func endMark() throws {
        let program = Program()
        let layer = try BusyboxImage.layer()
        let open = Array(layer.dropLast(1024))
        try TestImage.write(open, to: Scratch.path / "open.tar")
        try program.refuse("install", (Scratch.path / "open.tar").rawValue, naming: ["open.tar", "end mark"])
        // One block of zeroes is a mark, as for GNU tar; what follows is nobody's business.
        try TestImage.write(
            open + [UInt8](repeating: 0, count: 512) + Array("anything".utf8), to: Scratch.path / "one.tar")
        try program.succeed("install", (Scratch.path / "one.tar").rawValue)
        let image = try TestImage(at: Scratch.path / "layout", layers: [open], configuration: "{}")
        try program.succeed("install", image.layout.rawValue, "--name", "layer")
        #expect(try program.inside("layer", "echo in") == "in")
    }
}
