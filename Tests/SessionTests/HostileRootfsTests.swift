import Libc
import Platform
import TestSupport
import Testing

@Suite("A hostile root file system", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct HostileRootfsTests {
    private static let places = [
        "dev", "proc", "sys", "etc", "etc/passwd", "etc/resolv.conf", "run", "tmp", "home",
    ]
    private static let forms = ["link", "linkfile", "fifo", "file", "directory", "dangling", "loop"]

    @Test("never reaches outside, never makes a session wait", arguments: places, forms)
    func place(_ place: String, _ form: String) throws {
        let container = try TestContainer(in: Scratch.path)
        let canary = Scratch.path / "canary"
        try Run.shell(
            """
            mkdir -p $1/sub; echo keep >$1/file; cd $2
            rm -rf ./$3
            case $4 in
                link) ln -s $1 ./$3 ;;
                linkfile) ln -s $1/file ./$3 ;;
                fifo) mkfifo ./$3 ;;
                file) echo x >./$3 ;;
                directory) mkdir ./$3 ;;
                dangling) ln -s $1/new ./$3 ;;
                loop) ln -s ${3##*/} ./$3 ;;
            esac
            """, canary.rawValue, container.rootfs.rawValue, place, form)
        let before = try Run.succeeding("find", [canary.rawValue, "-printf", "%p %s %m %T@ %C@\n"])
        let host = try Self.hostFiles()
        let outcome = try Mountinfo.unchanged {
            try container.login([], "/bin/true", timeout: 20)
        }
        if outcome.status != .success {
            #expect(outcome.status == .failure, "\(outcome.status) \(outcome.stderr)")
            #expect(outcome.stderr.hasPrefix("Error: "), "\(outcome.stderr)")
        }
        #expect(try Run.succeeding("find", [canary.rawValue, "-printf", "%p %s %m %T@ %C@\n"]) == before)
        #expect(try Self.hostFiles() == host)
    }

    /// What the links lead to: all of the files, and of a directory that anybody may write to what only root changes.
    private static func hostFiles() throws -> String {
        try Run.succeeding("stat", ["-c", "%i %Y %s %a %u", "/etc/passwd", "/etc/resolv.conf"])
            + Run.succeeding("stat", ["-c", "%i %a %u %g", "/tmp"])
    }

    @Test(
        "whose own mounts would cover its /proc is refused",
        arguments: ["run", "dev", "sys", "tmp", "dev/shm"])
    func coveredProc(_ place: String) throws {
        let container = try TestContainer(in: Scratch.path)
        try Run.shell(
            "cd $1; rm -rf ./$2; mkdir -p $(dirname ./$2); ln -s /proc ./$2", container.rootfs.rawValue, place
        )
        let outcome = try container.login([], "/bin/busybox", "cat", "/proc/self/comm")
        // Below /dev there is a fresh file system, in which the link is not.
        if place == "dev/shm" {
            #expect(outcome.stdout == "busybox\n", "\(outcome.stderr)")
        } else {
            #expect(
                outcome.status == .failure && outcome.stderr.contains("something else covers"),
                "\(outcome.stderr)")
        }
    }

    @Test("cannot lead a bind out of itself")
    func bindTarget() throws {
        let container = try TestContainer(in: Scratch.path)
        try Run.shell(
            "mkdir $1/canary $1/src; echo in >$1/src/f; ln -s $1/canary $2/out; ln -s ../../../../../../$1/canary $2/up",
            Scratch.path.rawValue, container.rootfs.rawValue)
        for target in ["/out/x", "/up/x", "/out"] {
            let outcome = try container.login(
                ["--bind", "\(Scratch.path.rawValue)/src:\(target)"], "cat", "\(target)/f")
            #expect(outcome.stdout == "in\n" || outcome.status == .failure, "\(outcome.stderr)")
        }
        #expect(try Run.succeeding("ls", ["-A", (Scratch.path / "canary").rawValue]).isEmpty)
    }

    @Test("cannot make a session believe in a terminal of its own making")
    func terminal() throws {
        let container = try TestContainer(in: Scratch.path)
        let first = try container.start(
            script:
                "umount /dev/pts; rm /dev/ptmx; mkdir -p /dev/pts; mknod /dev/pts/ptmx c 1 3 2>/dev/null || touch /dev/pts/ptmx; echo up; read x"
        )
        _ = try first.read(until: "up")
        var second = try container.terminal(["true"])
        #expect(try second.finish() == .failure)
        _ = try first.finish(input: Array("\n".utf8))
    }
}
