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
        return escape(String(decoding: bytes, as: UTF8.self)) + "\n"
    }

    /// JSON without what it lets through and a terminal would obey.
    ///
    /// But for the ends of lines such characters only occur inside strings, where `\u` may stand.
    package static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            guard scalar.misleadsTerminals, scalar != "\n" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return result
    }
}
