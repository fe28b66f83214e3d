import Testing

@testable import Platform

@Suite("JSONDecoder and JSONEncoder")
struct JSONCodingTests {
    private enum Colour: String, Codable { case red, green }

    private struct Thing: Codable, Equatable {
        var name: String
        var size: Int64
        var small: UInt8?
        var ratio: Double
        var flags: [Bool]
        var colour: Colour
        var labels: [String: String]
        var children: [Thing]
        var grid: [[Int]]
    }

    private static let thing = Thing(
        name: "a/b \"c\"", size: .min, small: 255, ratio: 0.125, flags: [true, false], colour: .green,
        labels: ["k": "v", "": ""],
        children: [
            Thing(
                name: "", size: 0, small: nil, ratio: 3, flags: [], colour: .red, labels: [:], children: [],
                grid: [[]])
        ], grid: [[1, 2], [], [3]])

    @Test("bring every value back", arguments: [false, true])
    func roundTrip(isIndented: Bool) throws {
        let bytes = try JSONEncoder(isIndented: isIndented).encode(Self.thing)
        #expect(try JSONDecoder().decode(Thing.self, from: bytes) == Self.thing)
    }

    @Test("write members in order, slashes as they are, and whole numbers without a fraction")
    func text() throws {
        let text = String(decoding: try JSONEncoder().encode(Self.thing.children[0]), as: UTF8.self)
        #expect(
            text
                == #"{"children":[],"colour":"red","flags":[],"grid":[[]],"labels":{},"name":"","ratio":3,"size":0}"#
        )
        #expect(try JSONEncoder().encode(["/": UInt64.max]) == Array(#"{"/":18446744073709551615}"#.utf8))
    }

    @Test("indent by two spaces, with nothing between the brackets of what is empty")
    func indented() throws {
        let text = String(
            decoding: try JSONEncoder(isIndented: true).encode(["a": [1, 2], "b": []]), as: UTF8.self)
        #expect(text == "{\n  \"a\" : [\n    1,\n    2\n  ],\n  \"b\" : []\n}")
    }

    private func refusal<Value: Decodable>(_ type: Value.Type, _ text: String) -> DecodingError? {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(type, from: Array(text.utf8)) }
    }

    @Test("name the member that is of the wrong type, missing, null, or too large")
    func errors() {
        guard case .typeMismatch(_, let context) = refusal([String: [Int]].self, #"{"a":[1,"x"]}"#) else {
            return #expect(Bool(false))
        }
        #expect(context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["a", "1"])
        guard case .keyNotFound(let key, _) = refusal(Thing.self, "{}") else { return #expect(Bool(false)) }
        #expect(key.stringValue == "name")
        guard case .valueNotFound = refusal([String].self, "[null]") else { return #expect(Bool(false)) }
        guard case .dataCorrupted(let large) = refusal([UInt8].self, "[1,256]") else {
            return #expect(Bool(false))
        }
        #expect(large.codingPath.count == 1)
        guard case .dataCorrupted = refusal([Int].self, "[1.5]") else { return #expect(Bool(false)) }
        guard case .dataCorrupted(let text) = refusal([Int].self, "[1") else { return #expect(Bool(false)) }
        #expect(text.codingPath.isEmpty)
    }

    @Test("take a number for what it is worth, however it is spelled")
    func numbers() throws {
        #expect(try JSONDecoder().decode([Int].self, from: Array("[1.0, 2e2, -0]".utf8)) == [1, 200, 0])
        #expect(
            try JSONDecoder().decode([UInt64].self, from: Array("[18446744073709551615]".utf8)) == [.max])
        #expect(throws: EncodingError.self) { try JSONEncoder().encode([Double.infinity]) }
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test(
        "encodes and decodes the vectors of RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"), ("\u{0}ÿ", "AMO/"),
        ])
    func vectors(plain: String, text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(
        "refuses what is no base64",
        arguments: ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm9-", "Zm 9"])
    func refused(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
