import CLinux
import Libc

/// A helper program to be started, without a shell in between.
package struct Spawn: Hashable, Sendable {
    package var program: HostPath
    /// What the program finds behind its name.
    package var arguments: [RawString]
    package var environment: Environment
    /// Whom it runs as; `nil` is who this process is.
    package var identity: Identity?
    /// Whether the program can change nothing but its working directory and what is in it, where the kernel can do that.
    package var isConfined = false

    /// A user with one group and no others.
    package struct Identity: Hashable, Sendable {
        package let user: uid_t
        package let group: gid_t

        package init(user: uid_t, group: gid_t) {
            self.user = user
            self.group = group
        }
    }

    package init(_ program: HostPath, _ arguments: [RawString], environment: Environment) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// The descriptors that a child has as 0, 1 and 2.
    package struct Streams: Sendable {
        package var input: Int32 = 0
        package var output: Int32 = 1
        package var errors: Int32 = 2

        package init(input: Int32 = 0, output: Int32 = 1, errors: Int32 = 2) {
            self.input = input
            self.output = output
            self.errors = errors
        }
    }

    /// Starts the program and returns the child, which the caller must reap.
    ///
    /// The child works in `directory`, a descriptor, or where this process does. Nothing else that is open here
    /// reaches it. All that can fail up to execve(2) fails here.
    package func start(_ streams: Streams = Streams(), directory: Int32 = -1) throws(SpawnFailure) -> pid_t {
        let words = CStrings([RawString(program.rawValue)] + arguments)
        let variables = CStrings(environment.entries)
        var step = cd_spawn_fork
        var code: Int32 = 0
        let stdio = [streams.input, streams.output, streams.errors]
        let child: pid_t
        if let identity {
            var who = cd_spawn_identity(user: identity.user, group: identity.group)
            child = cd_spawn(
                program.rawValue, words.pointer, variables.pointer, directory, isConfined, stdio, &who, &step)
            code = errno
        } else {
            child = cd_spawn(
                program.rawValue, words.pointer, variables.pointer, directory, isConfined, stdio, nil, &step)
            code = errno
        }
        guard child > 0 else { throw SpawnFailure(program: program, step: .init(step), code: code) }
        return child
    }

    /// Starts the program and waits for its end, with this process's own streams.
    package func run() throws -> ExitStatus { try Reaping.wait(for: try start()) }
}

/// A program that could not be started.
package struct SpawnFailure: UserFacing, Hashable {
    /// What was being done.
    package enum Step: Hashable, Sendable { case fork, directory, streams, user, execute }

    package let program: HostPath
    package let step: Step
    /// The value of `errno`.
    package let code: Int32

    package var message: String {
        let reason = String(cString: strerror(code))
        return switch step {
        case .fork: "cannot start \(program): no new process: \(reason)"
        case .directory: "cannot start \(program): its working directory cannot be entered: \(reason)"
        case .streams: "cannot start \(program): a standard stream is not open: \(reason)"
        case .user: "cannot start \(program): it cannot run as the user it is for: \(reason)"
        case .execute: "cannot start \(program): \(reason)"
        }
    }
}

extension SpawnFailure.Step {
    fileprivate init(_ step: cd_spawn_step) {
        self =
            switch step {
            case cd_spawn_directory: .directory
            case cd_spawn_stdio: .streams
            case cd_spawn_user: .user
            case cd_spawn_exec: .execute
            default: .fork
            }
    }
}
