import Libc
import Platform

/// Where the program talks: stderr; data goes to stdout.
package enum StandardStream {
    /// Writes talk.
    ///
    /// When nobody can be told, nobody is: an error message has no place left to report its own failure.
    package static func talk(_ text: String) {
        try? Array(text.utf8).withUnsafeBytes { try FileDescriptor.writeAll($0, to: STDERR_FILENO) }
    }
}
