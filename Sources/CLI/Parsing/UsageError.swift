import Platform

/// A command line that cannot be understood.
package struct UsageError: UserFacing, Hashable {
    /// What is wrong, beginning with the command it is wrong for.
    package let message: String
    /// What to write instead.
    package let hint: String?
    /// The command whose help explains it; `nil` for the program's own.
    package let command: String?

    package init(_ message: String, hint: String? = nil, command: String? = nil) {
        self.message = message
        self.hint = hint
        self.command = command
    }
}
