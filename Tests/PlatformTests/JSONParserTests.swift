import Testing

@testable import Platform

@Suite("JSONParser")
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test(
        "reads every kind of value",
        arguments: [
            ("null", .null), (" true\n", .boolean(true)), ("false", .boolean(false)), ("0", .integer(0)),
            ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)), ("1.5e3", .number("1.5e3")),
            ("-0.25", .number("-0.25")), ("18446744073709551615", .number("18446744073709551615")),
            (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{c}\n\r\t")),
            (#""\u00e9\ud83d\ude00é""#, .string("é😀é")),
            (#""""#, .string("")), ("[]", .array([])),
            ("[1, [null]]", .array([.integer(1), .array([.null])])),
            ("{}", .object([])),
            (#"{"a":{"b":[]}}"#, .object([.init("a", .object([.init("b", .array([]))]))])),
        ] as [(String, JSONValue)])
    func values(text: String, value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(
        "refuses what is not JSON",
        arguments: [
            "", " ", "nul", "nulll", "tru e", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN",
            "Infinity", "'a'",
            #"""#, #""a"#, "\"a\nb\"", "\"\u{0}\"", #""\x41""#, #""\u12""#, #""\u12g4""#, #""\ud800""#,
            #""\udc00""#,
            #""\ud800\u0041""#, "[", "[1", "[1,]", "[,1]", "[1 2]", "]", "{", #"{"a"}"#, #"{"a":}"#,
            #"{"a":1,}"#,
            "{a:1}", #"{1:1}"#, #"{"a":1 "b":2}"#, "1 2", "[] []", "/**/1", "\u{feff}1", "[1}", #"{"a":1]"#,
        ])
    func refused(text: String) {
        #expect(throws: JSONParser.Malformed.self) { try parse(text) }
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0x80, 0x22],
        ])
    func encoding(bytes: [UInt8]) {
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.parse(bytes) }
    }

    @Test("says where the text stopped being JSON")
    func place() {
        #expect(throws: JSONParser.Malformed(offset: 4)) { try parse("[1, ]") }
    }

    @Test("limits how deep values may lie in each other")
    func depth() throws {
        func nest(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nest(JSONParser.depthLimit))
        #expect(throws: JSONParser.Malformed.self) { try parse(nest(JSONParser.depthLimit + 1)) }
        #expect(throws: JSONParser.Malformed.self) { try parse(String(repeating: "[", count: 1 << 20)) }
        #expect(throws: JSONParser.Malformed.self) { try parse(String(repeating: #"{"a":"#, count: 1 << 20)) }
    }

    @Test("takes time in proportion to the text", .timeLimit(.minutes(1)))
    func time() throws {
        let escapes = #"""# + String(repeating: #"\n"#, count: 1 << 20) + #"""#
        #expect(try parse(escapes).string?.utf8.count == 1 << 20)
        let members = "{" + (0..<100_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + "}"
        let counts = try JSONDecoder().decode([String: Int].self, from: Array(members.utf8))
        #expect(counts.count == 100_000 && counts["m77777"] == 77777)
    }

    @Test("lets the last of several members of one name count")
    func duplicates() throws {
        let text = #"{"a":1,"b":2,"a":3}"#
        #expect(try parse(text)["a"] == .integer(3))
        #expect(try JSONDecoder().decode([String: Int].self, from: Array(text.utf8)) == ["a": 3, "b": 2])
    }

    @Test(
        "gives back what was written",
        arguments: [
            "", "a\"b\\c/d", "\u{0}\u{1f}\n\r\t", "é😀\u{2028}\u{9b}", String(repeating: "x", count: 100_000),
        ])
    func roundTrip(text: String) throws {
        let value = JSONValue.object([
            .init(text, .array([.string(text), .null, .integer(.min)])), .init("z", .object([])),
        ])
        for isIndented in [false, true] {
            let read = try parse(value.text(isIndented: isIndented))
            #expect(Set(read.members ?? []) == Set(value.members ?? []))
        }
    }
}
