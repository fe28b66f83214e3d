import CLinux
import Libc
import Platform

/// A program that has been started; it is killed with its process group when nobody waits for it.
package struct Running: ~Copyable {
    package let pid: pid_t
    private let input: FileDescriptor
    private let output: FileDescriptor
    private let complaint: FileDescriptor
    private let ending: Ending

    /// Kills and reaps what has not been waited for.
    private final class Ending {
        let pid: pid_t
        var status: ExitStatus?
        init(_ pid: pid_t) { self.pid = pid }

        /// Waits until `deadline`; `nil` when the process still runs then.
        func wait(until deadline: Double) -> ExitStatus? {
            while status == nil {
                var raw: Int32 = 0
                if waitpid(pid, &raw, WNOHANG) == pid {
                    var code: Int32 = 0
                    status = cd_wait_kind(raw, &code) == 2 ? .killed(by: code) : ExitStatus(code: code)
                } else if Clock.now >= deadline {
                    return nil
                } else {
                    usleep(1000)
                }
            }
            return status
        }

        deinit {
            guard status == nil else { return }
            kill(-pid, SIGKILL)
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Starts a program in a session of its own with pipes for its three standard descriptors.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String] = Run.environment,
        directory: HostPath? = nil
    ) throws -> Running {
        var ends: [Int32] = []
        for _ in 0..<3 {
            var read: Int32 = -1
            var write: Int32 = -1
            try syscall("pipe2") { cd_pipe(&read, &write) }
            ends += [read, write]
        }
        let stdin = FileDescriptor(adopting: ends[0])
        let input = FileDescriptor(adopting: ends[1])
        let output = FileDescriptor(adopting: ends[2])
        let stdout = FileDescriptor(adopting: ends[3])
        let complaint = FileDescriptor(adopting: ends[4])
        let stderr = FileDescriptor(adopting: ends[5])
        let descriptors = [stdin.rawValue, stdout.rawValue, stderr.rawValue]
        let pid = try spawn(program, arguments, environment: environment, directory: directory) { actions in
            for (number, descriptor) in descriptors.enumerated() {
                posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
            }
        }
        return Running(pid: pid, input: input, output: output, complaint: complaint, ending: Ending(pid))
    }

    /// Sends a signal to the program alone.
    package func signal(_ number: Int32) { kill(pid, number) }

    /// Sends a signal to the program and to everything in its process group.
    package func signalGroup(_ number: Int32) { kill(-pid, number) }

    /// Reads standard output until `text` has come; what came so far.
    package func read(until text: String, timeout: Double = 60) throws -> String {
        var bytes: [UInt8] = []
        let deadline = Clock.now + timeout
        while true {
            let soFar = String(decoding: bytes, as: UTF8.self)
            if soFar.contains(text) { return soFar }
            guard try Pump.readSome(output.rawValue, into: &bytes, until: deadline) else {
                throw Run.Failure(description: "\(text) did not come, but: \(soFar)")
            }
        }
    }

    /// Writes to its standard input, which stays open.
    package func send(_ text: String) throws { try input.writeAll(text) }

    /// Feeds it, closes its input, and waits until it and its output have ended.
    package consuming func finish(input bytes: [UInt8] = [], timeout: Double = 120) throws -> Run.Outcome {
        let deadline = Clock.now + timeout
        let ending = ending
        var pump = Pump(input: input, output: output, complaint: complaint, pending: bytes)
        guard try pump.run(until: deadline), let status = ending.wait(until: deadline) else {
            let said = String(decoding: pump.said.output + pump.said.complaint, as: UTF8.self)
            throw Run.Failure(description: "still running after \(timeout) seconds; it said: \(said)")
        }
        return Run.Outcome(status: status, output: pump.said.output, complaint: pump.said.complaint)
    }
}

/// Starts a program as the leader of a session, with the descriptors that `prepare` sets up.
func spawn(
    _ program: String, _ arguments: [String], environment: [String: String], directory: HostPath?,
    _ prepare: (inout posix_spawn_file_actions_t) -> Void
) throws -> pid_t {
    if let directory {
        guard let found = Run.find(program) else {
            throw Run.Failure(description: "\(program): no such program")
        }
        return try spawn(
            "/usr/bin/env", ["--chdir", directory.rawValue, found] + arguments, environment: environment,
            directory: nil, prepare)
    }
    guard let path = Run.find(program) else { throw Run.Failure(description: "\(program): no such program") }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }
    prepare(&actions)
    // The runner's threads block and ignore signals of their own.
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let setsid: Int16 = 0x80  // POSIX_SPAWN_SETSID, which the C library's overlay hides.
    posix_spawnattr_setflags(
        &attributes, setsid | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = -1
    let code = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw SystemError("posix_spawn", path, code: code) }
    return pid
}
