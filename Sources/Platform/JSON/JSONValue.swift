/// A JSON value (RFC 8259), as it was read or is to be written.
package enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// A number that is no `Int64`, as it is spelled.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the order of the text; where a name comes twice, the last one counts.
    case object([Member])

    /// A name and what it stands for.
    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    // MARK: - What it is, or `nil`

    /// A member of an object.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// A number without a fraction that the type holds, such as `12` and `1.2e1`.
    package func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        switch self {
        case .integer(let value): Number(exactly: value)
        case .number(let text): Number(text) ?? Double(text).flatMap { Number(exactly: $0) }
        default: nil
        }
    }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let text): Double(text)
        default: nil
        }
    }

    /// An array that has nothing but strings.
    package var strings: [String]? {
        guard let elements else { return nil }
        var strings: [String] = []
        strings.reserveCapacity(elements.count)
        for element in elements {
            guard let text = element.string else { return nil }
            strings.append(text)
        }
        return strings
    }
}
