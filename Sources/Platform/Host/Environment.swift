import CLinux
import Libc

/// Environment variables as a value: read once, passed on by argument, never looked up behind anybody's back.
package struct Environment: Hashable, Sendable {
    /// In the order of their names, each of which is there once.
    ///
    /// They are few, and read at each start: the type of a dictionary would take longer to make than all lookups.
    private var variables: [Variable]

    private struct Variable: Hashable {
        let name: RawString
        var value: RawString
    }

    package init() { variables = [] }

    /// Of two entries with the same name the last one stays.
    package init(_ pairs: some Sequence<(RawString, RawString)>) {
        variables = []
        for (name, value) in pairs { self[name] = value }
    }

    /// Where the name is, or would be.
    private func index(of name: RawString) -> (Int, isThere: Bool) {
        var (low, high) = (0, variables.count)
        while low < high {
            let middle = (low + high) / 2
            if variables[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return (low, low < variables.count && variables[low].name == name)
    }

    /// From `NAME=VALUE` entries as execve(2) takes them; an entry without a name or a `=` is left out.
    package init(entries: some Sequence<RawString>) {
        variables = []
        for entry in entries { put(entry) }
    }

    private mutating func put(_ entry: RawString) {
        guard let (name, value) = Self.split(entry) else { return }
        self[name] = value
    }

    /// The variables that this process was started with.
    package static func ofProcess() -> Environment {
        var environment = Environment()
        var next = cd_environment()
        while let entry = next?.pointee {
            environment.put(RawString(cString: entry))
            next = next?.successor()
        }
        return environment
    }

    private static func split(_ entry: RawString) -> (RawString, RawString)? {
        guard let equals = entry.bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { return nil }
        return (
            RawString(withoutZeros: Array(entry.bytes[..<equals])),
            RawString(withoutZeros: Array(entry.bytes[(equals + 1)...]))
        )
    }

    package subscript(name: RawString) -> RawString? {
        get {
            let (index, isThere) = index(of: name)
            return isThere ? variables[index].value : nil
        }
        set {
            switch (index(of: name), newValue) {
            case ((let index, true), let value?): variables[index].value = value
            case ((let index, true), nil): variables.remove(at: index)
            case ((let index, false), let value?):
                variables.insert(Variable(name: name, value: value), at: index)
            case ((_, false), nil): break
            }
        }
    }

    /// The value as text, with bytes that are not UTF-8 replaced.
    package func text(_ name: RawString) -> String? { self[name]?.text }

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
        Dictionary(uniqueKeysWithValues: variables.map { ($0.name.text, $0.value.text) })
    }

    package var names: [RawString] { variables.map(\.name) }

    /// The `NAME=VALUE` entries for execve(2), in the order of their names.
    package var entries: [RawString] {
        variables.map { RawString(withoutZeros: $0.name.bytes + [UInt8(ascii: "=")] + $0.value.bytes) }
    }

    package func filter(_ isIncluded: (RawString) -> Bool) -> Environment {
        var result = self
        result.variables.removeAll { !isIncluded($0.name) }
        return result
    }

    /// These variables with the ones of `other` over them.
    package func merging(_ other: Environment) -> Environment {
        var result = self
        for variable in other.variables { result[variable.name] = variable.value }
        return result
    }

    /// Makes these the variables of this process, for libraries that read theirs by `getenv`.
    ///
    /// Only while there is one thread: the C library does not guard the table.
    package func adopt() throws(SystemError) {
        try syscall("clearenv") { Int32(clearenv() == 0 ? 0 : -1) }
        for variable in variables {
            let (name, value) = (variable.name, variable.value)
            try syscall("setenv", name.description) {
                name.withCString { name in value.withCString { setenv(name, $0, 1) } }
            }
        }
    }
}

extension Environment: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (RawString, RawString)...) { self.init(elements) }
}
