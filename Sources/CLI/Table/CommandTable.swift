/// The commands of a program.
///
/// A command's words are built when they are first asked for, and a look-up asks one command after the other: what
/// is typed most belongs first.
package struct CommandTable<Context>: Sendable {
    /// A command as a type; a value of it is made from parsed arguments.
    package typealias Entry = any Command<Context>.Type

    /// In the order of the look-up, and of the front page within each group.
    package let commands: [Entry]

    package init(_ commands: [Entry]) { self.commands = commands }

    /// The command with exactly this name or alias.
    package subscript(word: String) -> Entry? {
        // A closure over what any table has would not be made for this one.
        for index in commands.indices where commands[index].spec.isCalled(word) { return commands[index] }
        return nil
    }

    /// The words of every command, hidden ones included.
    package var specs: [CommandSpec] { commands.map { $0.spec } }
}
