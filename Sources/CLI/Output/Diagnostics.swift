import Libc
import Platform

/// Talks to the person at the terminal: the one place that prints messages.
///
/// Everything goes to stderr. While somebody types a password there, or a full-screen program has the screen, only
/// errors are printed.
package final class Diagnostics {
    /// Whether information and progress are left out; warnings and errors are not.
    package var isQuiet: Bool
    package let style: Style
    let isTerminal: Bool
    /// What has to leave the screen before a line may be written.
    weak var progress: ProgressDisplay?
    private let occupied: () -> Bool
    private let sink: (String) -> Void

    /// Talks through stderr.
    package convenience init(isQuiet: Bool = false) {
        let isTerminal = Terminal.isTerminal(STDERR_FILENO)
        self.init(
            isQuiet: isQuiet, style: .of(STDERR_FILENO), isTerminal: isTerminal,
            occupied: { isTerminal && Terminal.isOccupied(STDERR_FILENO) }, sink: StandardStream.talk)
    }

    init(
        isQuiet: Bool, style: Style, isTerminal: Bool, occupied: @escaping () -> Bool,
        sink: @escaping (String) -> Void
    ) {
        self.isQuiet = isQuiet
        self.style = style
        self.isTerminal = isTerminal
        self.occupied = occupied
        self.sink = sink
    }

    var isSilenced: Bool { occupied() }

    /// Something good to know: `[*] text`.
    package func info(_ text: String) {
        guard !isQuiet, !isSilenced else { return }
        write("[\(style.paint("*", .info))] \(text)\n")
    }

    /// Something that went on, but not as it should: `Warning: text`.
    package func warning(_ text: String, hint: String? = nil) {
        guard !isSilenced else { return }
        write("\(style.paint("Warning:", .warning)) \(text)\n" + (hint.map(hinted) ?? ""))
    }

    /// Why it did not go on, and the way out; returns what the process should end with.
    @discardableResult
    package func report(_ error: any Error) -> ExitStatus {
        guard let error = error as? any UserFacing else {
            complain("unexpected: \(Quoted("\(error)"))", hint: nil)
            return .failure
        }
        complain(error.message, hint: error.hint)
        return error.status
    }

    /// The same for a command line, followed by the synopsis of the command and where its help is.
    @discardableResult
    package func report(_ error: UsageError, of program: ProgramSpec, commands: [CommandSpec]) -> ExitStatus {
        let spec = error.command.flatMap { name in commands.first { $0.name == name } }
        let usage = spec.map { HelpPage.usage($0, of: program) + "\n" } ?? ""
        let help = [program.name, "help"] + (spec.map { [$0.name] } ?? [])
        complain(error.message, hint: error.hint, more: usage + "Help: \(help.joined(separator: " "))\n")
        return error.status
    }

    /// Text as it is, such as a page of help after an error.
    package func write(_ text: String) {
        progress?.erase()
        sink((isTerminal ? "\r\u{1b}[K" : "") + text)
    }

    /// Writes what `ProgressDisplay` has drawn.
    func draw(_ text: String) { sink(text) }

    private func complain(_ message: String, hint: String?, more: String = "") {
        let text = "\(style.paint("Error:", .error)) \(message)\n" + (hint.map(hinted) ?? "") + more
        // A terminal in raw mode does not return the carriage by itself.
        write(
            isSilenced
                ? text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
                : text)
    }

    private func hinted(_ hint: String) -> String { style.paint(hint, .hint) + "\n" }
}
