import Platform

/// JSON for the small records that each login writes (RFC 8259); a general encoder takes longer to set up than all of
/// them together take to be written.
package enum JSONText {
    /// The members' values are JSON already, their names need no escape.
    package static func object(_ members: [(name: String, value: String)]) -> String {
        "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    package static func array(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    package static func string(_ text: String) -> String { JSONValue.string(text).text() }
}
