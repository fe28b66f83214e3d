import CLinux
import Libc

/// Environment variables as a value: read once, passed on by argument, never looked up behind anybody's back.
package struct Environment: Hashable, Sendable {
    private var variables: [RawString: RawString]

    package init() { variables = [:] }

    /// Of two entries with the same name the last one stays.
    package init(_ pairs: some Sequence<(RawString, RawString)>) {
        variables = Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// From `NAME=VALUE` entries as execve(2) takes them; an entry without a name or a `=` is left out.
    package init(entries: some Sequence<RawString>) {
        self.init(entries.compactMap(Self.split))
    }

    /// The variables that this process was started with.
    package static func ofProcess() -> Environment {
        var entries: [RawString] = []
        var next = cd_environment()
        while let entry = next?.pointee {
            entries.append(RawString(cString: entry))
            next = next?.successor()
        }
        return Environment(entries: entries)
    }

    private static func split(_ entry: RawString) -> (RawString, RawString)? {
        guard let equals = entry.bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0,
            let name = RawString(bytes: entry.bytes[..<equals]),
            let value = RawString(bytes: entry.bytes[(equals + 1)...])
        else { return nil }
        return (name, value)
    }

    package subscript(name: RawString) -> RawString? {
        get { variables[name] }
        set { variables[name] = newValue }
    }

    /// The value as text, with bytes that are not UTF-8 replaced.
    package func text(_ name: RawString) -> String? { variables[name]?.text }

    /// The value as text, unless it is empty.
    package func nonEmpty(_ name: RawString) -> String? {
        guard let text = text(name), !text.isEmpty else { return nil }
        return text
    }

    /// Whether the value switches something on: `1`, `true`, `yes` or `on` in any case.
    package func isTruthy(_ name: RawString) -> Bool {
        ["1", "true", "yes", "on"].contains(text(name)?.lowercased() ?? "")
    }

    /// All variables as text, with bytes that are not UTF-8 replaced.
    package var texts: [String: String] {
        Dictionary(uniqueKeysWithValues: variables.map { ($0.key.text, $0.value.text) })
    }

    package var names: [RawString] { variables.keys.sorted() }

    /// The `NAME=VALUE` entries for execve(2), in the order of their names.
    package var entries: [RawString] {
        variables.sorted { $0.key < $1.key }.compactMap {
            RawString(bytes: $0.key.bytes + [UInt8(ascii: "=")] + $0.value.bytes)
        }
    }

    package func filter(_ isIncluded: (RawString) -> Bool) -> Environment {
        Environment(variables.filter { isIncluded($0.key) }.map { ($0.key, $0.value) })
    }

    /// These variables with the ones of `other` over them.
    package func merging(_ other: Environment) -> Environment {
        var result = self
        result.variables.merge(other.variables) { $1 }
        return result
    }

    /// Makes these the variables of this process, for libraries that read theirs by `getenv`.
    ///
    /// Only while there is one thread: the C library does not guard the table.
    package func adopt() throws(SystemError) {
        try syscall("clearenv") { Int32(clearenv() == 0 ? 0 : -1) }
        for (name, value) in variables {
            try syscall("setenv", name.description) {
                name.withCString { name in value.withCString { setenv(name, $0, 1) } }
            }
        }
    }
}

extension Environment: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (RawString, RawString)...) { self.init(elements) }
}
