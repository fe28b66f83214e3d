import Libc
import Platform
import Store
import TestSupport
import Testing

@Suite("A container's control group", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct ContainerGroupTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    private static var hasUnified: Bool {
        access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0
            || access("/sys/fs/cgroup/unified/cgroup.procs", W_OK) == 0
    }

    private static func has(_ controller: String) -> Bool {
        let lists = ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/\(controller)/cgroup.procs"]
        return access(lists[1], W_OK) == 0
            || (try? Run.succeeding("cat", [lists[0]]))?.contains(controller) == true
    }

    /// The groups that this test's store has, in every hierarchy.
    private func groups() throws -> [String] {
        let suffix = try container.groupSuffix
        return try Run.shell("find /sys/fs/cgroup -name 'chroot-distro-*' -type d; :").split(separator: "\n")
            .map(String.init).filter { $0.contains(suffix) }
    }

    @Test(
        "has the guest in it from the start, and is gone with the container",
        .enabled(if: hasUnified, "needs version 2"))
    func membership() throws {
        let running = try container.start(script: "cat /proc/self/cgroup; echo up; read x")
        let shown = try running.read(until: "up")
        #expect(shown.contains("0::/chroot-distro-bb-"), "\(shown)")
        #expect(try groups().count == 1)
        let joined = try container.script("cat /proc/self/cgroup")
        #expect(joined.stdout.contains("0::/chroot-distro-bb-"), "\(joined.stdout)")
        _ = try running.finish(input: Array("\n".utf8))
        #expect(container.leftovers().isEmpty)
        #expect(try groups().isEmpty)
    }

    @Test(
        "is one and the same by whatever path the store is reached",
        .enabled(if: hasUnified, "needs version 2"),
        arguments: ["link", "."])
    func otherPath(_ path: String) throws {
        let running = try container.start(script: "cat /proc/self/cgroup; echo up; read x")
        let shown = try running.read(until: "up").split(separator: "\n").first { $0.hasPrefix("0::") }
        try Run.shell("ln -s . $1/link", container.data.rawValue)
        let environment = ["XDG_DATA_HOME": container.data.rawValue + "/\(path)"]
        let joined = try Run.program(
            BuiltBinary.path, ["login", "bb", "--", "cat", "/proc/self/cgroup"],
            environment: container.environment.merging(environment) { $1 })
        #expect(joined.lines.first { $0.hasPrefix("0::") } == shown.map(String.init), "\(joined.stderr)")
        _ = try running.finish(input: Array("\n".utf8))
    }

    /// Seconds to sleep that no other process of this machine sleeps.
    private static func ownLength() -> String { "\(Int.random(in: 100_000_000...2_000_000_000))" }

    /// Takes a root and a mount namespace of its own, and no process above it is left.
    private static let hiding = """
        mkdir -p /h; unshare -m sh -c 'mount -t tmpfs none /h; mkdir /h/bin /h/old; cp /bin/busybox /h/bin;
        cd /h; pivot_root . old; exec /bin/busybox chroot . /bin/busybox sh -c "/bin/busybox umount -l /old;
        exec /bin/busybox setsid /bin/busybox sleep LENGTH"' >/dev/null 2>&1 </dev/null &
        """

    @Test(
        "knows a process that has left every mount of the container",
        .enabled(if: hasUnified, "needs version 2"), arguments: ["kill", "unmount"])
    func hidden(_ command: String) throws {
        let length = Self.ownLength()
        func hidden() -> [Processes] { Processes.withCommand("/bin/busybox", "sleep", length) }
        try Run.shell(
            "cd $1/bin; for a in unshare pivot_root chroot cp; do ln -sf busybox $a; done",
            container.rootfs.rawValue)
        let running = try container.start(
            script: Self.hiding.replacing("LENGTH", with: length) + " read x; exit 4")
        try Waiting.require("somebody is hidden") { hidden().count == 1 }
        let outcome = try running.finish(input: Array("\n".utf8))
        #expect(outcome.status.code == 4, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("still run"), "\(outcome.stderr)")
        #expect(hidden().count == 1)
        // The container goes on for its sake.
        #expect(try container.program(["ps"]).stdout.contains("left"))
        #expect(try container.program([command, "bb"]).status == .success)
        #expect(hidden().isEmpty)
        hidden().forEach { kill($0.pid, SIGKILL) }
        #expect(container.leftovers().isEmpty)
        #expect(try groups().isEmpty)
    }

    /// A shell command before the program, which leaves it few descriptors, and perhaps the right to have more.
    private static let fewDescriptors = [
        "ulimit -n 64; exec", "ulimit -n 64; exec setpriv --bounding-set=-sys_resource",
    ]

    private func program(after prefix: String, _ words: String...) throws -> Run.Outcome {
        try Run.program(
            "/bin/sh", ["-c", prefix + " \"$@\"", "sh", BuiltBinary.path] + words,
            environment: container.environment, timeout: 30)
    }

    @Test(
        "is asked whole, however few descriptors there are for it", .needsProgram("setpriv"),
        arguments: fewDescriptors)
    func asked(_ prefix: String) throws {
        let running = try container.start(
            script: """
                i=0; while [ $i -lt 90 ]; do
                    (trap 'echo asked; exit' TERM; : >/on.$i; sleep 1000 & wait) & i=$((i+1))
                done
                trap '' TERM; while set -- /on.*; [ $# -lt 90 ]; do sleep 0.1; done; echo up; wait
                """)
        _ = try running.read(until: "up")
        #expect(try program(after: prefix, "unmount", "bb").status == .success)
        let said = try running.finish(timeout: 20).lines
        #expect(said.count { $0 == "asked" } == 90, "\(said.count)")
        #expect(container.leftovers().isEmpty)
    }

    @Test(
        "is ended however fast it forks",
        .enabled(if: hasUnified && has("pids"), "needs version 2 and the pids controller"),
        .needsProgram("setpriv", "cc"), arguments: ["exec"] + fewDescriptors)
    func forks(_ prefix: String) throws {
        let source = Scratch.path / "forks.c"
        try TestImage.write(
            """
            #include <signal.h>
            #include <unistd.h>
            int main(void) {
                signal(SIGTERM, SIG_IGN);
                signal(SIGHUP, SIG_IGN);
                signal(SIGCHLD, SIG_IGN);
                write(1, "up\\n", 3);
                for (;;) { fork(); usleep(5000); }
            }
            """, to: source)
        try Run.succeeding(
            "cc", ["-static", source.rawValue, "-o", (container.rootfs / "forks").rawValue])
        let running = try container.start(["login", "bb", "--pids", "300", "--", "/forks"])
        _ = try running.read(until: "up")
        usleep(300_000)
        let ended = try program(after: prefix, "kill", "bb")
        #expect(ended.status == .success, "\(ended.stderr)")
        #expect(try running.finish(timeout: 20).status != .success)
        #expect(container.leftovers().isEmpty)
        #expect(try groups().isEmpty)
    }

    @Test("limits processes", .enabled(if: has("pids"), "needs the pids controller"))
    func processes() throws {
        let script = "i=0; while [ $i -lt 40 ]; do sleep 2 & i=$((i+1)); done; wait"
        let limited = try container.script(script, ["--pids", "10"])
        #expect(limited.stderr.contains("fork"), "\(limited.stderr)")
        let free = try container.script(script)
        #expect(!free.stderr.contains("fork"), "\(free.stderr)")
        #expect(container.leftovers().isEmpty)
        #expect(try groups().isEmpty)
    }

    @Test("limits memory", .enabled(if: has("memory"), "needs the memory controller"))
    func memory() throws {
        let hog = "dd if=/dev/zero of=/dev/null bs=100M count=1 2>/dev/null"
        #expect(try container.script(hog, ["--memory", "32M"]).status.code == 137)
        #expect(try container.script(hog, ["--memory", "512M"]).status == .success)
        #expect(container.leftovers().isEmpty)
    }

    @Test("limits processors", .enabled(if: has("cpu"), "needs the cpu controller"))
    func processors() throws {
        let script = "while :; do :; done & sleep 2; cat /proc/$!/stat; kill $!"
        let outcome = try container.script(script, ["--cpus", "0.1"])
        // Clock ticks in user mode and in the kernel (proc_pid_stat(5)).
        let ticks = outcome.stdout.split(separator: " ").dropFirst(13).prefix(2).compactMap { Int($0) }
        #expect(ticks.count == 2)
        #expect(ticks.reduce(0, +) < sysconf(Int32(_SC_CLK_TCK)), "\(outcome.stdout)\(outcome.stderr)")
    }

    /// What version 2 may limit on this machine; controllers that version 1 has are not there.
    private static let unifiedControllers =
        (try? Run.shell(
            "cat /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null || true"
        ).split { $0 == " " || $0 == "\n" }.map(String.init)) ?? []

    @Test(
        "has its limits in version 2 alone, where that has the controllers",
        .enabled(
            if: ["memory", "cpu", "pids"].allSatisfy(unifiedControllers.contains),
            "needs memory, cpu and pids in version 2; here version 1 has them"))
    func unifiedLimits() throws {
        let script = "cat /proc/self/cgroup; echo up; read x; dd if=/dev/zero of=/dev/null bs=100M count=1"
        let running = try container.start(
            script: script, ["--memory", "64M", "--cpus", "0.5", "--pids", "30"])
        _ = try running.read(until: "up")
        let groups = try groups()
        let group = try #require(groups.first)
        #expect(groups.count == 1)
        let limits = try Run.shell("cd \"$1\"; cat memory.max cpu.max pids.max", group)
        #expect(limits == "67108864\n50000 100000\n30\n")
        #expect(try running.finish(input: Array("\n".utf8)).status.code == 137)
        #expect(container.leftovers().isEmpty)
        #expect(try self.groups().isEmpty)
    }

    @Test(
        "keeps the limits that the container was started with",
        .enabled(if: has("pids"), "needs the pids controller"))
    func joining() throws {
        let running = try container.start(script: "echo up; read x", ["--pids", "20"])
        _ = try running.read(until: "up")
        #expect(try container.login(["--pids", "20"], "true").status == .success)
        let script = "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; wait"
        #expect(try container.script(script).stderr.contains("fork"))
        for options in [["--pids", "21"], ["--pids", "20", "--memory", "64M"]] {
            let refused = try container.login(options, "true")
            #expect(refused.status == .failure && refused.stderr.contains("--pids 20"), "\(refused.stderr)")
        }
        _ = try running.finish(input: Array("\n".utf8))
        let free = try container.start(script: "echo up; read x")
        _ = try free.read(until: "up")
        #expect(try container.login(["--pids", "9"], "true").stderr.contains("without limits"))
        _ = try free.finish(input: Array("\n".utf8))
    }

    @Test(
        "is not needed, but limits are refused without one",
        arguments: ["mount -t tmpfs none /sys/fs/cgroup", "mount -t tmpfs -o ro none /sys/fs/cgroup"])
    func none(_ hiding: String) throws {
        func run(_ options: [String]) throws -> Run.Outcome {
            let words = ["login", "bb"] + options + ["--", "sh", "-c", "cat /proc/self/cgroup; exit 6"]
            return try Run.program(
                "unshare",
                ["-m", "sh", "-c", hiding + "; exec \"$@\"", "sh", BuiltBinary.path] + words,
                environment: container.environment)
        }
        let plain = try run([])
        #expect(plain.status.code == 6 && !plain.stdout.contains("chroot-distro"), "\(plain.stderr)")
        for (option, value) in [("--memory", "64M"), ("--cpus", "1"), ("--pids", "50")] {
            let refused = try run([option, value])
            #expect(refused.status == .failure && refused.stdout.isEmpty)
            #expect(refused.stderr.contains("\(option) cannot be had"), "\(refused.stderr)")
        }
        #expect(container.leftovers().isEmpty)
    }

    @Test(
        "refuses limits that are none",
        arguments: [
            ["--memory", "0"], ["--memory", "lots"], ["--cpus", "0"], ["--cpus", "nan"], ["--cpus", "-1"],
            ["--pids", "0"], ["--pids", "1.5"],
        ])
    func nonsense(_ options: [String]) throws {
        let outcome = try container.login(options, "true")
        #expect(outcome.status != .success && outcome.stderr.contains(options[0]), "\(outcome.stderr)")
    }

    @Test(
        "is nothing that is left while somebody is in it, although holder and supervisor were killed",
        .enabled(if: hasUnified, "needs version 2"))
    func inUse() throws {
        let length = Self.ownLength()
        let running = try container.start(
            script: "trap '' HUP; echo up; exec sleep \(length) <&- >&- 2>&-")
        _ = try running.read(until: "up")
        try container.killHolder()
        running.signal(SIGKILL)
        _ = try running.finish()
        #expect(try !container.program(["doctor", "--json"]).stdout.contains("state.control-group"))
        #expect(try container.program(["kill", "bb"]).stderr.contains("Stopped"))
        #expect(Processes.withCommand("sleep", length).isEmpty)
        #expect(try groups().isEmpty)
    }

    @Test(
        "is removed by whoever comes last when the holder was killed",
        .enabled(if: hasUnified, "needs version 2"))
    func holderKilled() throws {
        let running = try container.start(script: "echo up; read x; exit 3")
        _ = try running.read(until: "up")
        try container.killHolder()
        #expect(try running.finish(input: Array("\n".utf8)).status.code == 3)
        #expect(try groups().isEmpty)
        let second = try container.start(script: "echo up; read x")
        _ = try second.read(until: "up")
        try container.killHolder()
        second.signal(SIGKILL)
        _ = try second.finish()
        #expect(container.leftovers().isEmpty)
        #expect(try groups().count == 1)
        _ = try container.program(["ps"])
        #expect(try groups().isEmpty)
        #expect(try container.script("exit 5").status.code == 5)
        #expect(container.leftovers().isEmpty)
        #expect(try groups().isEmpty)
    }
}
