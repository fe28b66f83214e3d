import Libc
import Platform
import TestSupport
import Testing

@Suite("Joining a running container", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct JoiningTests {
    let container: TestContainer

    init() throws {
        container = try TestContainer(in: Scratch.path)
        try Run.shell("mkdir $1/one $1/two; echo 1 >$1/one/f; echo 2 >$1/two/f", Scratch.path.rawValue)
    }

    private func source(_ name: String) -> String { (Scratch.path / name).rawValue }

    @Test(
        "leaves nothing bound when the session cannot start",
        arguments: [["/no/such"], ["--work-dir", "/none", "--", "true"], ["--user", "user", "--", "/etc"]])
    func failed(_ words: [String]) throws {
        let first = try container.start(script: "echo up; read x; cat /proc/self/mountinfo; cat /new/f")
        _ = try first.read(until: "up")
        let tail = words.count == 1 ? ["--"] + words : words
        let binds = ["--bind", "\(source("one")):/new", "--bind", "\(source("one"))/f:/etc/one"]
        let failed = try container.program(["login", "bb"] + binds + tail)
        #expect(failed.status != .success)
        // Another source on the same place is no contradiction now.
        #expect(try container.login(["--bind", "\(source("two")):/new"], "cat", "/new/f").stdout == "2\n")
        let seen = try first.finish(input: Array("\n".utf8))
        #expect(seen.lines.last == "2")
        #expect(!seen.stdout.contains(source("one").dropFirst("/var/tmp".utf8.count)), "\(seen.stdout)")
        #expect(!seen.stdout.contains(" /etc/one "))
    }

    @Test("leaves nothing bound when one of several binds cannot be made")
    func half() throws {
        let first = try container.start(script: "echo up; read x; cat /proc/self/mountinfo")
        _ = try first.read(until: "up")
        // A directory cannot be bound on a file.
        let failed = try container.login(
            ["--bind", "\(source("one")):/new", "--bind", "\(source("two")):/etc/passwd"], "true")
        #expect(failed.status == .failure, "\(failed.stderr)")
        let seen = try first.finish(input: Array("\n".utf8))
        #expect(!seen.stdout.contains(" /new "), "\(seen.stdout)")
    }

    /// A chroot whose root is a mount point, as arch-chroot and rescue systems make it: a mount namespace's first root
    /// is then not the one that its processes have.
    @Test(
        "from a chroot leads into the container, not to the root behind the chroot", arguments: [true, false])
    func chroot(isMountPoint: Bool) throws {
        let script =
            isMountPoint
            ? "mount --rbind / $1"
            : """
            mount -t tmpfs none $1; mkdir $1/root; cd $1/root
            for d in /*; do
                if [ -L $d ]; then cp -P $d .$d; elif [ -d $d ]; then mkdir .$d; mount --rbind $d .$d; fi
            done
            set -- $1/root "$2"
            """
        try Run.shell(
            "mkdir $1/jail; echo inside >$2/marker", Scratch.path.rawValue, container.rootfs.rawValue)
        let outcome = try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-e", "-c",
                script + "\nexec chroot $1 \"$2\" login bb -- cat /marker", "sh", source("jail"),
                BuiltBinary.path,
            ], environment: container.environment)
        if isMountPoint {
            #expect(outcome.stdout == "inside\n", "\(outcome.stderr)")
        } else {
            #expect(outcome.status == .failure && outcome.stderr.contains("no mount point"))
        }
    }
}
