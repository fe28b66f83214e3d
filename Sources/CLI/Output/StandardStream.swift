import Libc
import Platform

/// The program's two ways to speak: data to stdout, talk to stderr.
package enum StandardStream {
    /// Writes data; a full disk or a closed pipe is an error of the caller's.
    package static func output(_ text: String) throws(SystemError) {
        var text = text
        var offset = 0
        let count = text.utf8.count
        while offset < count {
            offset += try syscall("write", "standard output") {
                text.withUTF8 { write(STDOUT_FILENO, $0.baseAddress.map { $0 + offset }, count - offset) }
            }
        }
    }

    /// Writes talk.
    ///
    /// When nobody can be told, nobody is: an error message has no place left to report its own failure.
    package static func talk(_ text: String) {
        var text = text
        text.withUTF8 { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeBufferPointer(rebasing: rest)
                guard
                    let count = try? syscall(
                        "write", "", { write(STDERR_FILENO, part.baseAddress, part.count) })
                else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
