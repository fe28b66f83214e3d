import Libc
import Platform

/// Asks the person at the terminal.
///
/// The question goes to `/dev/tty`, so it works when stdin and stdout are pipes. A signal that comes while somebody
/// types gives the terminal its modes back before it takes effect.
package struct Prompt: ~Copyable {
    private let terminal: FileDescriptor

    /// Opens the terminal of this process; fails with `ENXIO` where there is none.
    package init() throws(SystemError) { terminal = try FileDescriptor.open("/dev/tty", O_RDWR | O_NOCTTY) }

    /// For a terminal that is not the process's own.
    init(adopting terminal: consuming FileDescriptor) { self.terminal = terminal }

    /// Reads a line that is not shown while it is typed; `nil` at the end of input.
    package func password(_ question: String) throws(SystemError) -> String? {
        guard let modes = TerminalModes(of: terminal.rawValue) else { return nil }
        let signals = PromptSignals()
        defer { signals.restore() }
        while true {
            // Before the question, because some answer it at once.
            try modes.hideTyping()
            let line: Result<String?, SystemError>
            do throws(SystemError) {
                try terminal.writeAll(question)
                line = .success(try readLine(watchesSignals: true))
            } catch {
                line = .failure(error)
            }
            try modes.restore()
            // A stop asks again once the person is back; most other signals end the process here.
            if PromptSignals.takeEffect() { continue }
            return try line.get()
        }
    }

    /// Reads a line that is shown while it is typed; `nil` at the end of input.
    package func line(_ question: String) throws(SystemError) -> String? {
        try terminal.writeAll(question)
        return try readLine(watchesSignals: false)
    }

    /// Asks until the answer is yes or no; an empty one, or no answer at all, is `preferred`.
    package func confirm(_ question: String, preferred: Bool = false) throws(SystemError) -> Bool {
        while true {
            try terminal.writeAll("\(question) [\(preferred ? "Y/n" : "y/N")] ")
            guard let answer = try readLine(watchesSignals: false)?.lowercased() else { return preferred }
            if answer.isEmpty { return preferred }
            if ["y", "yes"].contains(answer) { return true }
            if ["n", "no"].contains(answer) { return false }
        }
    }

    /// A line without its newline; `nil` at the end of input or when a signal has come.
    private func readLine(watchesSignals: Bool) throws(SystemError) -> String? {
        var bytes: [UInt8] = []
        while true {
            if watchesSignals, !PromptSignals.waitForInput(terminal.rawValue) { return nil }
            var byte: UInt8 = 0
            let count = try withUnsafeMutableBytes(of: &byte) { (buffer) throws(SystemError) in
                try terminal.read(into: buffer)
            }
            if count == 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
            if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }
}
