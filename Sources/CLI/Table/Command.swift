import Platform

/// Something the program can be told to do: words in a table, and a verb.
///
/// `Context` is the executable's own: this module does not know what is in it.
package protocol Command<Context>: SendableMetatype {
    associatedtype Context

    static var spec: CommandSpec { get }

    /// Takes the words apart into values that cannot be wrong.
    init(_ arguments: ParsedArguments) throws(UsageError)

    func run(in context: borrowing Context) throws -> ExitStatus
}
