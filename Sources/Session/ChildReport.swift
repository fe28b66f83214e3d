import Libc
import Platform

/// How a child on its way into a container tells its parent what went wrong: over a pipe that exec closes.
///
/// An empty message means that all went well. A failure is three parts, each ended by NUL: status, message, hint.
enum ChildReport {
    private static let limit = 1 << 16

    static func send(_ error: any Error, over pipe: Int32) {
        let facing = error as? any UserFacing
        let message = clipped(facing?.message ?? "\(error)")
        let status = facing?.status ?? .failure
        let text = "\(status.code)\0\(message)\0\(clipped(facing?.hint ?? ""))\0"
        _ = write(pipe, text, text.utf8.count)
    }

    /// What fits into the pipe at once: a guest's words may be as long as it likes.
    private static func clipped(_ text: String) -> String {
        text.utf8.count <= 4000 ? text : String(decoding: text.utf8.prefix(4000), as: UTF8.self) + " ..."
    }

    /// Waits until the child has either succeeded, which closes the pipe, or said why not.
    ///
    /// Whether it said the expected word before.
    @discardableResult
    static func receive(from pipe: borrowing FileDescriptor, expecting word: [UInt8] = []) throws -> Bool {
        let bytes = try pipe.readAll(limit: limit)
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count >= 3, let code = Int32(parts[0]) else { return bytes == word }
        throw LaunchError.inside(parts[1], hint: parts[2].isEmpty ? nil : parts[2], ExitStatus(code: code))
    }
}
