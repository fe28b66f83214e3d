import Libc
import Platform

/// The last detached command of a container, to be started again: `detached.json` beside its rootfs.
///
/// It is what was typed, without the container's name, which may change.
package struct DetachedCommand: Codable, Equatable, Sendable {
    /// `login` or `run`.
    package var command: String
    package var flags: [Flag]
    /// The words after `--`; `nil` without them.
    package var words: [Word]?
    /// Where it was typed: paths may be relative to it.
    package var directory: Word
    /// The home that `--shared-home` showed: who starts it again may be somebody else.
    package var home: Word?
    /// Variables of the caller's that options have as their defaults, `NAME=VALUE` each.
    package var environment: [Word]

    /// An option by its long name.
    package struct Flag: Codable, Equatable, Sendable {
        package var name: String
        package var value: Word?

        package init(name: String, value: Word?) {
            self.name = name
            self.value = value
        }
    }

    /// Text where it is text, and otherwise the numbers of its bytes.
    package struct Word: Codable, Equatable, Sendable {
        package var raw: RawString

        package init(_ raw: RawString) { self.raw = raw }

        package init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                guard !text.utf8.contains(0) else { throw NotAWord() }
                raw = RawString(text)
            } else {
                guard let raw = RawString(bytes: try value.decode([UInt8].self)) else { throw NotAWord() }
                self.raw = raw
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            if let text = String(validating: raw.bytes, as: UTF8.self) {
                try value.encode(text)
            } else {
                try value.encode(Array(raw.bytes))
            }
        }

        /// No argument of a program has a NUL in it.
        private struct NotAWord: Error {}
    }

    package init(
        command: String, flags: [Flag], words: [RawString]?, directory: RawString,
        home: RawString? = nil, environment: [RawString]
    ) {
        self.command = command
        self.flags = flags
        self.words = words.map { $0.map { Word($0) } }
        self.directory = Word(directory)
        self.home = home.map { Word($0) }
        self.environment = environment.map { Word($0) }
    }

    private static let file: RawString = "detached.json"

    /// Remembers it in a container's directory.
    package func save(in directory: borrowing Directory) throws {
        // Options may carry secrets.
        try directory.replaceFile(
            Self.file, with: try JSONEncoder().encode(self), mode: 0o600, durable: false)
    }

    /// What was remembered; `nil` when there is nothing that can be read.
    package static func saved(in directory: borrowing Directory) -> DetachedCommand? {
        guard let bytes = try? directory.readFile(file, limit: 1 << 20) else { return nil }
        return try? JSONDecoder().decode(DetachedCommand.self, from: bytes)
    }

    /// The words behind the name of the command.
    package func arguments(for container: String) -> [RawString] {
        let options = flags.map { flag in
            RawString(bytes: Array("--\(flag.name)".utf8) + (flag.value.map { [0x3d] + $0.raw.bytes } ?? []))
                ?? ""
        }
        return options + [RawString(container)] + (words.map { ["--"] + $0.map(\.raw) } ?? [])
    }
}
