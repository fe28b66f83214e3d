/// What a process leaves to its parent.
package struct ExitStatus: Hashable, Sendable {
    package let code: Int32

    package init(code: Int32) { self.code = code }

    package static let success = ExitStatus(code: 0)
    /// Any error of the program's own.
    package static let failure = ExitStatus(code: 1)
    /// Found, but not executable (the shells' convention).
    package static let notExecutable = ExitStatus(code: 126)
    /// Not found (the shells' convention).
    package static let notFound = ExitStatus(code: 127)
    /// Killed by `signal`: 128 + its number.
    package static func killed(by signal: Int32) -> ExitStatus { ExitStatus(code: 128 + signal) }
}
