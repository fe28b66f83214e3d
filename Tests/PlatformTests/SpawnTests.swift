import Libc
import Testing

@testable import Platform

private func shell(
    _ script: RawString, _ arguments: [RawString] = [], environment: Environment = Environment()
) -> Spawn {
    Spawn("/bin/sh", ["-c", script, "sh"] + arguments, environment: environment)
}

@Suite("Spawn") struct SpawnTests {
    @Test("output, errors and the exit status come back")
    func captures() throws {
        let result = try shell("cat; echo oops >&2; exit 7").capture(
            input: Array("hello".utf8), limit: 100, timeout: .seconds(20))
        #expect(result.output == Array("hello".utf8))
        #expect(result.errors == Array("oops\n".utf8))
        #expect(result.status == ExitStatus(code: 7))
    }

    @Test("arguments and variables arrive byte for byte")
    func bytes() throws {
        let odd = try #require(RawString(bytes: [0xff, 0x20, 0x27, 0x0a, 0x5c, 0x24]))
        let result = try shell("printf '%s|%s|' \"$1\" \"$X\"", [odd], environment: ["X": odd])
            .capture(limit: 100, timeout: .seconds(20))
        let expected: [UInt8] = odd.bytes + [0x7c] + odd.bytes + [0x7c]
        #expect(result.output == expected)
    }

    @Test("a signal's death is 128 and its number")
    func killed() throws {
        #expect(try shell("kill -KILL $$").capture(limit: 10, timeout: .seconds(20)).status.code == 137)
        #expect(try shell("exit 3").run().code == 3)
    }

    @Test("a confined program changes nothing but its directory")
    func confined() throws {
        guard geteuid() == 0, KernelFeature.treeAttributes.attempt().isSuccess else { return }
        let scratch = try Scratch()
        try scratch.write("outside", "kept")
        try Directory.open(HostPath(scratch.path)).makeDirectory("room", mode: 0o755)
        let room = try Directory.open(HostPath(scratch.path) / "room")
        let script: RawString = """
            echo in >inside; echo evil >"$1/outside"; echo evil >"$1/new"; ln -s "$1" link; echo evil >link/new
            echo evil >../new; head -c 1 /dev/zero >byte; exit 0
            """
        var spawn = shell(script, [RawString(scratch.path)])
        spawn.isConfined = true
        let child = try spawn.start(directory: room.raw)
        #expect(try Reaping.wait(for: child) == .success)
        #expect(try room.readFile("inside", limit: 10) == Array("in\n".utf8))
        #expect(try room.readFile("byte", limit: 10) == [])
        let folder = try Directory.open(HostPath(scratch.path))
        #expect(try folder.readFile("outside", limit: 10) == Array("kept".utf8))
        #expect(try folder.statusIfPresent("new") == nil)
    }

    @Test("failure to execute is an error here, with its reason, and leaves no child")
    func missing() throws {
        let scratch = try Scratch()
        try scratch.write("data", "not a program")
        #expect(throws: SpawnFailure(program: "/no/such/program", step: .execute, code: ENOENT)) {
            try Spawn("/no/such/program", [], environment: Environment()).run()
        }
        let path = HostPath(scratch.path) / "data"
        #expect(throws: SpawnFailure(program: path, step: .execute, code: EACCES)) {
            try Spawn(path, [], environment: Environment()).run()
        }
        #expect(throws: SpawnFailure(program: "/bin/sh", step: .directory, code: EBADF)) {
            _ = try shell("true").start(directory: 9999)
        }
        #expect(throws: SpawnFailure(program: "/bin/sh", step: .streams, code: EBADF)) {
            _ = try shell("true").start(Spawn.Streams(input: 9999))
        }
    }

    @Test("it works in the directory it is given")
    func directory() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        let result = try shell("pwd -P").capture(limit: 4096, timeout: .seconds(20), directory: directory.raw)
        #expect(String(decoding: result.output, as: UTF8.self).hasSuffix(scratch.path + "\n"))
    }

    @Test("a program that hangs is killed, its patience is not waited for")
    func timeout() throws {
        let start = Deadline(after: .seconds(20))
        #expect(throws: Spawn.CaptureFailure.timedOut("/bin/sh", .milliseconds(200))) {
            try shell("trap '' TERM; echo begun; sleep 60").capture(limit: 100, timeout: .milliseconds(200))
        }
        #expect(start.milliseconds > 0)
    }

    @Test("a flood is cut off")
    func flood() throws {
        #expect(throws: Spawn.CaptureFailure.tooMuchOutput("/bin/sh", limit: 1000)) {
            try shell("while :; do echo flood; done").capture(limit: 1000, timeout: .seconds(20))
        }
    }

    @Test("a background process that keeps the pipe does not hold things up")
    func background() throws {
        let start = Deadline(after: .seconds(20))
        let result = try shell("sleep 30 & echo $!").capture(limit: 100, timeout: .seconds(25))
        let sleeper = pid_t(String(decoding: result.output.dropLast(), as: UTF8.self))
        if let sleeper { kill(sleeper, SIGKILL) }
        #expect(sleeper != nil && start.milliseconds > 0)
    }

    @Test("closed output does not spin, the end is still seen")
    func closedOutput() throws {
        let result = try shell("exec >&- 2>&-; sleep 0.2; exit 4").capture(limit: 10, timeout: .seconds(20))
        #expect(result.status.code == 4)
    }

    @Test("a child starts with nothing blocked, nothing ignored but SIGHUP, and nothing open but its streams")
    func cleanStart() throws {
        let before = SignalSet([SIGTERM, SIGUSR1]).block()
        defer { before.restore() }
        let script: RawString =
            "grep -E '^Sig(Blk|Ign):' /proc/self/status; for f in /proc/$$/fd/*; do echo ${f##*/}; done"
        let result = try shell(script).capture(limit: 4096, timeout: .seconds(20))
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let masks = lines.prefix(2).compactMap { UInt64($0.suffix(16), radix: 16) }
        #expect(masks.first == 0)
        // 32 and 33 are the C library's own.
        #expect(masks.last.map { $0 & ~(1 | 3 << 31) } == 0)
        // 3 is how the shell lists the directory.
        #expect(Set(lines.dropFirst(2)).subtracting(["3"]) == ["0", "1", "2"])
    }

    @Test(
        "runs as somebody else with no group of ours, or not at all",
        .enabled(if: geteuid() == 0, "needs root"))
    func identity() throws {
        var program = Spawn(
            "/bin/sh", ["-c", "id -u; id -g; id -G; grep CapEff /proc/self/status"],
            environment: ["PATH": "/usr/bin:/bin"])
        program.identity = Spawn.Identity(user: 65533, group: 65532)
        let said = try program.capture(limit: 4096, timeout: .seconds(30))
        #expect(
            String(decoding: said.output, as: UTF8.self) == "65533\n65532\n65532\nCapEff:\t0000000000000000\n"
        )
        program.identity = Spawn.Identity(user: .max, group: 65532)
        #expect(throws: SpawnFailure(program: "/bin/sh", step: .user, code: EINVAL)) {
            _ = try program.start()
        }
    }

    @Test("what is written to a pipe that somebody made non-blocking arrives whole")
    func nonBlocking() throws {
        let pipe = try Pipe()
        _ = fcntl(pipe.raw.writing, F_SETFL, O_NONBLOCK)
        let writing = pipe.raw.writing
        let reader = Spawn(
            "/bin/sh", ["-c", "sleep 0.3; wc -c >&2"], environment: ["PATH": "/usr/bin:/bin"])
        let counted = try Pipe()
        let child = try reader.start(
            Spawn.Streams(input: pipe.raw.reading, output: 1, errors: counted.raw.writing))
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        try bytes.withUnsafeBytes { try FileDescriptor.writeAll($0, to: writing) }
        _ = pipe.readEnd()
        let end = counted.readEnd()
        _ = try Reaping.wait(for: child)
        #expect(String(decoding: try end.readAll(limit: 100), as: UTF8.self).contains("1048576"))
    }
}
