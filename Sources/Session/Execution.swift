import Libc
import Platform

/// Replacing this process by a program (execve(2)), found as a shell would find it.
enum Execution {
    /// Only returns when it fails, with the reason.
    ///
    /// `program` is what is executed when it is not the first word. A word without a slash is looked for in `search`, directories separated by colons. A script without `#!` is
    /// given to `/bin/sh` (execvp(3)).
    static func replace(
        _ words: [RawString], _ environment: [RawString], search: RawString?,
        calling program: RawString? = nil
    ) -> ExecutionError {
        guard let program = program ?? words.first, !program.bytes.isEmpty else { return .notFound("") }
        var refused: (path: RawString, code: Int32)?
        for path in candidates(program, search: search) {
            let code = attempt(path, words, environment)
            switch code {
            case ENOENT, ENOTDIR: continue
            case EACCES: refused = refused ?? (path, code)
            default: return .refused(path, code)
            }
        }
        if let refused { return .refused(refused.path, refused.code) }
        return .notFound(program)
    }

    private static func candidates(_ program: RawString, search: RawString?) -> [RawString] {
        guard let search, !program.bytes.contains(UInt8(ascii: "/")) else { return [program] }
        return search.bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).compactMap {
            RawString(bytes: ($0.isEmpty ? Array(".".utf8) : Array($0)) + [UInt8(ascii: "/")] + program.bytes)
        }
    }

    /// The reason why it failed.
    private static func attempt(_ path: RawString, _ words: [RawString], _ environment: [RawString]) -> Int32
    {
        let code = execute(path, words, environment)
        guard code == ENOEXEC else { return code }
        return execute("/bin/sh", ["/bin/sh", path] + words.dropFirst(), environment)
    }

    private static func execute(_ path: RawString, _ words: [RawString], _ environment: [RawString]) -> Int32
    {
        func vector(_ strings: [RawString]) -> [UnsafeMutablePointer<CChar>?] {
            strings.map { string in string.withCString { strdup($0) } } + [nil]
        }
        let (arguments, variables) = (vector(words), vector(environment))
        defer { for pointer in arguments + variables { free(pointer) } }
        _ = path.withCString { execve($0, arguments, variables) }
        return errno
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
