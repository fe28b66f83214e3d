import Platform

/// A list as a JSON document: `{"<plural>": [...], "schema": N}`.
///
/// Keys are sorted and the text is indented, so that two listings can be compared line by line. Within one schema
/// number, keys are only ever added (docs/json.md).
package enum JSONListing {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private struct Document<Item: Encodable>: Encodable {
        let plural: String
        let schema: Int
        let items: [Item]

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(schema, forKey: Key(stringValue: "schema"))
            try container.encode(items, forKey: Key(stringValue: plural))
        }
    }

    /// The document, its last line ended.
    package static func text<Item: Encodable>(_ items: [Item], plural: String, schema: Int) throws -> String {
        try text(Document(plural: plural, schema: schema, items: items))
    }

    /// Any other value as a document, in the same form.
    package static func text(_ value: some Encodable) throws -> String {
        let bytes = try JSONEncoder(isIndented: true).encode(value)
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(into: "") { $0 += escape($1) }
            + "\n"
    }

    /// JSON lets through what a terminal would obey; such characters only occur inside strings, where `\u` may stand.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x7f..<0xa0, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return String(scalar)
        }
    }
}
