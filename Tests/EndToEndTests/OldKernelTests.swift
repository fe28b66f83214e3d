import Libc
import Platform
import TestSupport
import Testing

/// The kernels of phones are old and built without much; a filter answers for them (`oldkernel.c`).
@Suite(
    "On a kernel that lacks much", .scratch, .needsRoot, .needsFile("/bin/busybox"), .needsProgram("cc"))
struct OldKernelTests {
    let program = Program()

    private func run(_ lacks: [String], _ words: String..., variables: [String: String] = [:]) throws
        -> Run.Outcome
    {
        try OldKernel(lacking: lacks, in: Scratch.path).run(
            words, environment: program.environment.merging(variables) { $1 })
    }

    // MARK: - Linux 4.14

    /// Whether unknown calls are answered as by the kernel, or as by the sandbox of an older one.
    private static let phones = [["4.14"], ["-e", "1", "4.14"]]

    @Test("of Linux 4.14, everything from install to remove works", arguments: phones)
    func life(_ phone: [String]) throws {
        let image = try BusyboxImage.layout(in: Scratch.path)
        try image.pack(as: Scratch.path / "image.tar")
        func expect(_ words: String..., output: String? = nil, line: Int = #line) throws {
            let outcome = try OldKernel(lacking: phone, in: Scratch.path).run(
                words, environment: program.environment)
            #expect(outcome.status == .success, "\(words): \(outcome.stderr)")
            if let output { #expect(outcome.stdout == output, "\(words): \(outcome.stderr)") }
        }
        try Mountinfo.unchanged {
            try expect("install", (Scratch.path / "image.tar").rawValue, "--name", "box")
            try expect("login", "box", "--", "sh", "-c", "echo hi; test -c /dev/null", output: "hi\n")
            try expect("run", "box", "--", "/bin/echo", "there", output: "there\n")
            try expect("login", "-d", "box", "--", "sleep", "1000")
            try expect("ps", "-q", output: "box\n")
            try expect("login", "box", "--", "echo", "joined", output: "joined\n")
            try expect("top")
            try expect("kill", "-s", "CONT", "box")
            try expect("kill", "box")
            try expect("login", "-d", "box", "--", "sleep", "1000")
            try expect("stop", "--time", "1", "box")
            try expect("login", "-d", "box", "--", "sleep", "1000")
            try expect("unmount", "box")
            try expect("ps", "-q", output: "")
            try expect("rename", "box", "other")
            try expect("doctor")
            try expect("login", "-d", "other", "--", "sleep", "1000")
            try expect("remove", "other")
            try expect("list", "-q", output: "")
        }
        #expect(Processes.inMounts(of: Scratch.path).isEmpty)
    }

    @Test("of Linux 4.14, every mode and option of a session works", arguments: phones)
    func modes(_ phone: [String]) throws {
        try program.install("box")
        try Run.shell("mkdir -p $1/shared/sub; echo 1 >$1/shared/f", Scratch.path.rawValue)
        let shared = (Scratch.path / "shared").rawValue
        let cases: [(words: [String], variables: [String: String], output: String)] = [
            (["--minimal", "--", "sh", "-c", "ls /tmp | wc -l"], [:], "0\n"),
            (["--", "sh", "-c", "echo $(hostname) $$"], ["CD_USE_NS": "1"], "box 2\n"),
            (
                [
                    "--bind", "\(shared):/root:ro", "--", "sh", "-c",
                    "cat /root/f; echo x >/root/g || echo no",
                ], [:], "1\nno\n"
            ),
            (["--rm", "--", "sh", "-c", "echo x >/made; cat /made"], [:], "x\n"),
            (["--read-only", "--", "sh", "-c", "echo x >/made || echo no"], [:], "no\n"),
            (["--tmpfs", "/root:size=1m", "--", "sh", "-c", "stat -f -c %T /root"], [:], "tmpfs\n"),
            (["--hostname", "there", "--", "hostname"], [:], "there\n"),
            (["--dns", "192.0.2.1", "--", "cat", "/etc/resolv.conf"], [:], "nameserver 192.0.2.1\n"),
            (
                ["--cap-drop", "ALL", "--", "grep", "CapEff", "/proc/self/status"], [:],
                "CapEff:\t0000000000000000\n"
            ),
            (["--user", "user", "--", "id", "-un"], [:], "user\n"),
        ]
        for example in cases {
            let outcome = try OldKernel(lacking: phone, in: Scratch.path).run(
                ["login", "box"] + example.words,
                environment: program.environment.merging(example.variables) { $1 })
            #expect(outcome.stdout == example.output, "\(example.words): \(outcome.stderr)")
        }
        #expect(access((program.root(of: "box") / "made").rawValue, F_OK) != 0)
    }

    @Test(
        "that cannot give birth into a control group, limits hold all the same", .needsFile("/sys/fs/cgroup"))
    func limits() throws {
        try program.install("box")
        let outcome = try run(
            ["clone3"], "login", "box", "--pids", "5", "--", "sh", "-c",
            "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; echo all")
        #expect(!outcome.stdout.contains("all"), "\(outcome.stdout)")
        #expect(outcome.stderr.contains("fork"), "\(outcome.stderr)")
    }

    @Test("that has no terminal of its own kind, a guest has one all the same", arguments: phones)
    func terminal(_ phone: [String]) throws {
        try program.install("box")
        let words = try OldKernel(lacking: phone, in: Scratch.path).command(
            BuiltBinary.path, ["login", "box", "--", "sh", "-c", "tty; exit 5"])
        var terminal = try TestTerminal(
            words.program, words.arguments, environment: program.environment)
        #expect(try terminal.finish().code == 5)
        #expect(terminal.text.contains("/dev/pts/0"), "\(terminal.text)")
    }

    // MARK: - Isolation that cannot be had

    /// What is missing, the word by which it is told of, and whether users of the container's own remain.
    private static let lacking: [(lacks: [String], word: String, hasUsers: Bool)] = [
        (["userns"], "no user namespaces", false),
        (["-e", "1", "userns"], "user namespace was refused", false),
        (["-e", "28", "userns"], "max_user_namespaces", false), (["4.14"], "Linux 5.12", false),
        (["mount_setattr"], "Linux 5.12", false), (["-e", "1", "mount_setattr"], "Linux 5.12", false),
        (["seccomp"], "filters", true),
        (["pidns"], "processes", true), (["-e", "28", "pidns"], "processes", true),
        (["utsns"], "host names", true),
        (["ipcns"], "IPC", true), (["cgroupns"], "control groups", true),
        (["-e", "1", "userns", "pidns", "utsns", "ipcns", "cgroupns"], "user namespace was refused", false),
    ]

    @Test(
        "says which step of isolation was refused and goes on with less, or refuses when it is to be strict",
        arguments: lacking)
    func isolation(_ example: (lacks: [String], word: String, hasUsers: Bool)) throws {
        try program.install("box")
        try Mountinfo.unchanged {
            let strict = try run(example.lacks, "login", "box", "--isolated=strict", "--", "echo", "in")
            #expect(strict.status == .failure && strict.stdout.isEmpty, "\(strict.stderr)")
            #expect(
                strict.stderr.contains(example.word) && strict.stderr.contains("=strict"), "\(strict.stderr)")
            let script =
                "id -u; head -1 /proc/self/uid_map; grep CapEff /proc/self/status; mount -t tmpfs none /var 2>/dev/null && echo mounted"
            let outcome = try run(example.lacks, "login", "box", "--isolated", "--", "sh", "-c", script)
            #expect(
                outcome.stderr.contains("Warning") && outcome.stderr.contains(example.word),
                "\(outcome.stderr)")
            #expect(outcome.lines.first == "0", "\(outcome.stderr)")
            if example.hasUsers {
                #expect(outcome.stdout.contains(" 65536\n"), "\(outcome.stdout)")
            } else {
                #expect(outcome.stdout.contains("CapEff:\t00000000a00425fb"), "\(outcome.stdout)")
                #expect(!outcome.stdout.contains("mounted"))
            }
        }
        // Nothing is left that would be in the way of the next one.
        let plain = try program.run(
            "login", "box", "--isolated=strict", "--", "head", "-1", "/proc/self/uid_map")
        #expect(plain.stdout.contains(" 65536\n"), "\(plain.stderr)")
    }

    @Test(
        "that lacks namespaces, CD_USE_NS goes on without them, others join, and a host name is refused by name"
    )
    func namespaces() throws {
        try program.install("box")
        let lacks = ["utsns", "-e", "28", "ipcns"]
        let words = try OldKernel(lacking: lacks, in: Scratch.path).command(
            BuiltBinary.path, ["login", "box", "--", "sh", "-c", "echo up; read x; echo $$"])
        let first = try Running.start(
            words.program, words.arguments,
            environment: program.environment.merging(["CD_USE_NS": "1"]) { $1 })
        _ = try first.read(until: "up")
        let joined = try run(lacks, "login", "box", "--", "readlink", "/proc/self/ns/uts")
        #expect(joined.stdout == (try Run.succeeding("readlink", ["/proc/self/ns/uts"])), "\(joined.stderr)")
        let ended = try first.finish(input: Array("\n".utf8))
        #expect(ended.stdout == "2\n", "\(ended.stdout)")
        #expect(ended.stderr.contains("host names") && ended.stderr.contains("IPC"), "\(ended.stderr)")
        let named = try run(lacks, "login", "box", "--hostname", "there", "--", "true")
        #expect(named.status == .failure && named.stderr.contains("--hostname"), "\(named.stderr)")
    }
}
