import CLinux
import Libc
import Platform

/// Runs a program to its end and keeps what it said.
package enum Run {
    /// What a program left.
    package struct Outcome: Sendable {
        package let status: ExitStatus
        package let output: [UInt8]
        package let complaint: [UInt8]

        /// Its standard output as text.
        package var stdout: String { String(decoding: output, as: UTF8.self) }
        /// Its standard error as text.
        package var stderr: String { String(decoding: complaint, as: UTF8.self) }
        /// Its standard output as lines, without an empty one at the end.
        package var lines: [String] {
            stdout.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        }
    }

    /// A program that could not be started, took too long, or failed where it may not.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The variables that a test's programs get when it says nothing: enough to find programs, and no host values.
    package static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
        "HOME": "/root",
    ]

    /// Runs a program in a session of its own, without a terminal, and waits until it and its output have ended.
    ///
    /// `program` is a path, or a name that is looked up in the usual places. After `timeout` seconds the program is
    /// killed with its process group and a `Failure` thrown. Standard input is empty unless given.
    package static func program(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = Run.environment,
        input: [UInt8] = [], directory: HostPath? = nil, timeout: Double = 120
    ) throws -> Outcome {
        let process = try Running.start(program, arguments, environment: environment, directory: directory)
        return try process.finish(input: input, timeout: timeout)
    }

    /// Runs a program that has to succeed; its standard output.
    @discardableResult
    package static func succeeding(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = Run.environment,
        input: [UInt8] = [], directory: HostPath? = nil, timeout: Double = 600
    ) throws -> String {
        let outcome = try self.program(
            program, arguments, environment: environment, input: input, directory: directory, timeout: timeout
        )
        guard outcome.status == .success else {
            let words = ([program] + arguments).joined(separator: " ")
            throw Failure(
                description: "\(words): status \(outcome.status.code)\n\(outcome.stdout)\(outcome.stderr)")
        }
        return outcome.stdout
    }

    /// Runs a script of `sh -e`, whose arguments are `$1`, `$2` and so on.
    @discardableResult
    package static func shell(_ script: String, _ arguments: String...) throws -> String {
        try succeeding("/bin/sh", ["-e", "-c", script, "sh"] + arguments)
    }

    /// The path of a program in the usual places.
    package static func find(_ name: String) -> String? {
        if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
        return environment["PATH"]?.split(separator: ":").map { "\($0)/\(name)" }.first {
            access($0, X_OK) == 0
        }
    }
}
