import Libc
import Platform
import TestSupport
import Testing

@Suite("run --rm with an image", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct ImageRunTests {
    let program = Program()
    private let archive: String

    init() throws {
        let image = try BusyboxImage.layout(
            in: Scratch.path,
            configuration:
                #"{"Entrypoint":["/bin/sh","-c"],"Cmd":["echo from the image"],"WorkingDir":"/etc"}"#)
        try image.pack(as: Scratch.path / "box.tar")
        archive = (Scratch.path / "box.tar").rawValue
    }

    /// What of the store is there but content of the image store and the roots of images.
    private func state() throws -> String {
        let run = Scratch.path / "data/chroot-distro/run"
        // The last holder may be about to go.
        try Waiting.require("nothing runs") { Processes.inMounts(of: Scratch.path).isEmpty }
        return try Run.shell(
            """
            set +e; cd "$1"; find data run -mindepth 1 ! -name '*.lock' ! -path '*/locks/*' ! -name events ! -name index.json 2>/dev/null | sort
            find cache/chroot-distro/rootfs/staging cache/chroot-distro/rootfs/trash -mindepth 1 2>/dev/null
            find cache/chroot-distro/rootfs -maxdepth 1 -name '.tmp-*' 2>/dev/null
            ls -d /sys/fs/cgroup/chroot-distro-box-*"$2" /sys/fs/cgroup/*/chroot-distro-box-*"$2" 2>/dev/null; true
            """, Scratch.path.rawValue,
            access(run.rawValue, F_OK) == 0 ? ControlGroups.suffix(in: run) : "none")
    }

    private var roots: HostPath { Scratch.path / "cache/chroot-distro/rootfs/containers" }

    @Test(
        "does what the image is for, installs nothing, and what is changed vanishes",
        arguments: [[], ["--isolated=strict"], ["--minimal"]])
    func vanishes(_ options: [String]) throws {
        _ = try Run.program(
            BuiltBinary.path, ["run", "--rm"] + options + [archive], environment: program.environment)
        let before = try state()
        try Mountinfo.unchanged {
            let outcome = try Run.program(
                BuiltBinary.path, ["run", "--rm"] + options + [archive], environment: program.environment)
            #expect(outcome.stdout == "from the image\n", "\(outcome.stderr)")
            let change = "echo new >/made; rm -rf /home /etc/group; cat /made; pwd; id -u; exit 6"
            let second = try Run.program(
                BuiltBinary.path, ["run", "--rm"] + options + [archive, "--", change],
                environment: program.environment)
            #expect(second.stdout == "new\n/etc\n0\n" && second.status.code == 6, "\(second.stderr)")
            let third = try Run.program(
                BuiltBinary.path, ["run", "--rm"] + options + [archive, "--", "ls -d /home /made"],
                environment: program.environment)
            #expect(third.stdout == "/home\n", "\(third.stderr)")
        }
        #expect(try program.names().isEmpty)
        #expect(try Run.succeeding("ls", [roots.rawValue]).split(separator: "\n").count == 1)
        let after = try state()
        #expect(after == before, "\(after)\n--\n\(before)")
    }

    @Test("is one container for each, as many as there are at once, and the image is unpacked once")
    func together() throws {
        let script = """
            for i in 1 2 3 4 5 6; do
                "$1" run --rm "$2" -- 'echo '$i' >/made; sleep 0.2; [ "$(cat /made)" = '$i' ] && echo right; ls / | grep -c made' &
            done; wait
            """
        let outcome = try Run.program(
            "sh", ["-c", script, "sh", BuiltBinary.path, archive], environment: program.environment)
        #expect(
            outcome.stdout.split(separator: "\n").filter { $0 == "right" }.count == 6,
            "\(outcome.stdout)\(outcome.stderr)")
        #expect(try Run.succeeding("ls", [roots.rawValue]).split(separator: "\n").count == 1)
        #expect(
            try Run.succeeding("ls", ["-A", (Scratch.path / "data/chroot-distro/run").rawValue]).split(
                separator: "\n"
            ).allSatisfy { $0.hasSuffix("events") || $0.hasPrefix(".") })
    }

    @Test("is shown, entered, asked and ended under a name of its own")
    func known() throws {
        let session = try program.start(
            "run", "--rm", archive, "--", "echo up >/up; echo up; exec sleep 1000")
        _ = try session.read(until: "up")
        let name = try program.succeed("ps", "-q").stdout.filter { $0 != "\n" }
        #expect(name.hasPrefix("box-"), "\(name)")
        #expect(try program.succeed("exec", name, "--", "cat", "/up").stdout == "up\n")
        #expect(try program.succeed("login", name, "--", "cat", "/up").stdout == "up\n")
        #expect(try program.succeed("top", name).stdout.contains("sleep 1000"))
        #expect(try program.succeed("events").stdout.contains(name))
        #expect(try !program.succeed("list").stdout.contains(name))
        try program.succeed("kill", name)
        _ = try session.finish(timeout: 20)
        #expect(try program.succeed("ps", "-q").stdout.isEmpty)
        try program.refuse("login", name, "--", "true", naming: [name])
        let second = try program.start("run", "--rm", archive, "--", "echo up; exec sleep 1000")
        _ = try second.read(until: "up")
        try program.succeed("kill", "\(second.pid)")
        _ = try second.finish(timeout: 20)
    }

    @Test(
        "takes an installed container of that name first, and a reference of a registry",
        .needsProgram("docker-registry", "skopeo"))
    func sources() throws {
        let image = try BusyboxImage.layout(
            in: Scratch.path, name: "remote", configuration: #"{"Cmd":["/bin/echo","remote"]}"#)
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            let reference = "\(registry.address)/box:1"
            #expect(try program.succeed("run", "--rm", reference).stdout == "remote\n")
        }
        // The registry is gone, and not needed.
        try program.install("box", configuration: #"{"Cmd":["/bin/echo","installed"]}"#)
        #expect(try program.succeed("run", "--rm", "box").stdout == "installed\n")
        #expect(try program.names() == ["box"])
    }

    @Test("leaves nothing that is not swept when it is killed at any moment")
    func killed() throws {
        try program.succeed("run", "--rm", archive)
        let before = try state()
        for round in 0..<30 {
            if round % 6 == 0 { try Run.shell("rm -rf \"$1\"/sha256-*", roots.rawValue) }
            let process = try program.start("run", "--rm", archive, "--", "echo x >/made; sleep 0.05")
            usleep(UInt32.random(in: 0...120_000))
            process.signalGroup(SIGKILL)
            _ = try process.finish()
        }
        #expect(
            try program.succeed("run", "--rm", archive, "--", "ls -d /made || echo clean").stdout == "clean\n"
        )
        // What was still ending while that looked is found by the next.
        try Waiting.require("nothing runs") { Processes.inMounts(of: Scratch.path).isEmpty }
        #expect(try program.succeed("run", "--rm", archive).stdout == "from the image\n")
        let after = try state()
        #expect(after == before, "\(after)\n--\n\(before)")
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    @Test("keeps what is in use, and throws away what nobody has used for a week")
    func collected() throws {
        let session = try program.start("run", "--rm", archive, "--", "echo up; read x; cat /etc/group")
        _ = try session.read(until: "up")
        let age = { try Run.shell("touch -d '8 days ago' \"$1\"/*.lock", roots.parent.rawValue + "/locks") }
        _ = try age()
        try program.install("other")
        #expect(try session.finish(input: Array("\n".utf8)).stdout.contains("root:x:0:"))
        #expect(try Run.succeeding("ls", [roots.rawValue]).split(separator: "\n").count == 1)
        try program.succeed("remove", "other")
        #expect(try Run.succeeding("ls", [roots.rawValue]).isEmpty)
        #expect(try program.succeed("run", "--rm", archive).stdout == "from the image\n")
        try program.install("other")
        #expect(try Run.succeeding("ls", [roots.rawValue]).split(separator: "\n").count == 1)
        try program.succeed("clear-cache")
        #expect(try Run.succeeding("ls", [roots.rawValue]).isEmpty)
    }

    @Test("is refused in the background, as a plan, and of what is no image; without --rm it is no container")
    func refused() throws {
        try program.refuse("run", "--rm", "-d", archive, naming: ["--detach"])
        try program.refuse("run", "--rm", "--get-chroot-cmd", archive, naming: ["--get-chroot-cmd"])
        try program.refuse("run", "--rm", "-", naming: ["image"])
        let plain = try BusyboxImage.rootfsArchive(in: Scratch.path, name: "plain.tar")
        try program.refuse("run", "--rm", plain.rawValue, naming: ["plain.tar"])
        let outcome = try program.run("run", archive)
        #expect(
            outcome.status != .success && outcome.stderr.contains("cannot be the name"), "\(outcome.stderr)")
    }
}
