import Libc

/// A message between a detached session and somebody who is attached to it: kind, length, content.
struct AttachFrame: Equatable {
    enum Kind: UInt8 {
        /// From the session, first: one byte, 1 when the command has a terminal.
        case hello = 0x68
        case output = 0x6f
        /// From the session, last: the exit status.
        case end = 0x65
        /// From the visitor: what was typed.
        case input = 0x69
        /// From the visitor: rows and columns, two bytes each, the lower one first.
        case window = 0x77
    }

    let kind: Kind
    let content: [UInt8]

    /// The longest content.
    static let limit = 32768

    var bytes: [UInt8] {
        [
            kind.rawValue, UInt8(truncatingIfNeeded: content.count),
            UInt8(truncatingIfNeeded: content.count >> 8),
        ]
            + content
    }

    /// As many frames as the content needs.
    static func all(_ kind: Kind, _ content: ArraySlice<UInt8>) -> [UInt8] {
        var rest = content
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            bytes += AttachFrame(kind: kind, content: Array(rest.prefix(limit))).bytes
            rest = rest.dropFirst(limit)
        }
        return bytes
    }

    static func window(rows: UInt16, columns: UInt16) -> AttachFrame {
        AttachFrame(
            kind: .window,
            content: [rows, columns].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
    }

    /// Rows and columns.
    var window: (UInt16, UInt16)? {
        guard kind == .window, content.count == 4 else { return nil }
        return (
            UInt16(content[0]) | UInt16(content[1]) << 8, UInt16(content[2]) | UInt16(content[3]) << 8
        )
    }

    /// Takes a whole frame off what has come in; `nil` while it is incomplete.
    ///
    /// Nonsense ends the conversation.
    static func take(from bytes: inout [UInt8]) throws(Nonsense) -> AttachFrame? {
        guard bytes.count >= 3 else { return nil }
        let length = Int(bytes[1]) | Int(bytes[2]) << 8
        guard let kind = Kind(rawValue: bytes[0]), length <= limit else { throw Nonsense() }
        guard bytes.count >= 3 + length else { return nil }
        let frame = AttachFrame(kind: kind, content: Array(bytes[3..<(3 + length)]))
        bytes.removeFirst(3 + length)
        return frame
    }

    /// Bytes that are no frame.
    struct Nonsense: Error {}
}
