import Libc
import Platform

/// How a guest's program is found and called, as a shell would do it (execve(2)).
struct Execution {
    /// As errors call it.
    private let program: RawString
    /// Tried one after the other, with `arguments`.
    let paths: [RawString]
    let arguments: [RawString]
    /// How a script without `#!` is called (execvp(3)); the second one stands for its path.
    let script: [RawString]
    /// Tried when no path leads to a program, since a bare word may be one of the shell's own; empty when there is none.
    let shell: [RawString]

    /// `search` are directories separated by colons, for a word without a slash.
    init(_ command: LaunchPlan.Command, search: RawString?) {
        switch command {
        case .shell(let program):
            self.program = program
            paths = [program]
            // A dash before its name makes any shell a login shell (login(1)).
            arguments = [RawString("-" + HostPath(program.text).lastComponent)]
            shell = []
        case .words(let words, let shell):
            program = words.first ?? ""
            paths = Self.candidates(program, search: search ?? RawString(EnvironmentRules.path))
            arguments = words
            let isBare = !program.bytes.contains(UInt8(ascii: "/"))
            self.shell = isBare ? shell.map { [$0, "-c", ShellWords.join(words)] } ?? [] : []
        }
        script = ["/bin/sh", ""] + arguments.dropFirst()
    }

    private static func candidates(_ program: RawString, search: RawString) -> [RawString] {
        if program.bytes.isEmpty { return [] }
        if program.bytes.contains(UInt8(ascii: "/")) { return [program] }
        return search.bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            folder in
            let folder = folder.isEmpty ? [UInt8(ascii: ".")] : Array(folder)
            return RawString(withoutZeros: folder + [UInt8(ascii: "/")] + program.bytes)
        }
    }

    /// Why the path of that index could not be executed; behind the last one it is the shell, and -1 is none at all.
    func error(of path: Int, code: Int32) -> ExecutionError {
        guard path >= 0 else { return .notFound(program) }
        let path = path < paths.count ? paths[path] : shell.first ?? program
        return code == ENOENT || code == ENOTDIR ? .notFound(path) : .refused(path, code)
    }
}

/// A program that cannot be executed.
enum ExecutionError: UserFacing, Equatable {
    case notFound(RawString)
    case refused(RawString, Int32)

    var message: String {
        switch self {
        case .notFound(let program): "\(program): command not found in the container"
        case .refused(let path, let code): "\(path): \(SystemError("execve", code: code).reason)"
        }
    }

    var hint: String? {
        switch self {
        case .notFound: nil
        case .refused(_, ENOEXEC): "It is made for another kind of machine, or is no program at all."
        case .refused: nil
        }
    }

    var status: ExitStatus {
        switch self {
        case .notFound: .notFound
        case .refused: .notExecutable
        }
    }
}
