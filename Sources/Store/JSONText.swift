/// JSON for the small records that each login writes (RFC 8259); a general encoder takes longer to set up than all of
/// them together take to be written.
package enum JSONText {
    /// The members' values are JSON already, their names need no escape.
    package static func object(_ members: [(name: String, value: String)]) -> String {
        "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    package static func array(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    package static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u00" + (digits.count < 2 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
