import Platform
import Testing

@testable import OCI

@Suite("MediaType") struct MediaTypeTests {
    @Test(
        "is what stands before parameters, in lower case",
        arguments: [
            ("Application/JSON; charset=utf-8", "application/json"), ("a/b c", "a/b"), ("", ""),
            ("a/b\r\nX-Evil: 1", "a/b"), ("a/b\u{0}c", "a/b"), ("a/\u{e9}", "a/"),
        ])
    func parsing(_ text: String, _ expected: String) {
        #expect(MediaType(rawValue: text).rawValue == expected)
    }

    @Test(
        "of a document that has a line end or another strange character is malformed",
        arguments: ["\\r\\nX-Evil: 1", "\\n", "\\u0000", "\\u00e9", "\\t"])
    func hostile(_ tail: String) {
        let text = #"{"mediaType":"application/vnd.oci.image.manifest.v1+json\#(tail)","layers":[]}"#
        #expect(throws: DocumentError.self) {
            try JSON.decode(DocumentKind.self, from: Array(text.utf8), name: "x")
        }
    }

    @Test(
        "in a header that would have several lines is not sent", arguments: ["a\r\nb: c", "a\nb", "a\u{0}"])
    func header(_ value: String) throws {
        let url = try #require(WebURL("http://127.0.0.1:1/"))
        let handle = try HTTPHandle(HTTPSettings(version: "test"))
        for request in [
            HTTPRequest(url: url, headers: [("Content-Type", value)]),
            HTTPRequest(url: url, headers: [(value, "x")]),
            HTTPRequest(url: url, authorization: Secret(value)),
        ] {
            let failure = #expect(throws: HTTPFailure.self) { try handle.exchange(request) }
            #expect(failure?.reason.contains("several lines") == true)
        }
    }
}

@Suite("JSON") struct JSONTests {
    @Test("a document leaves room for being put into another one")
    func depth() throws {
        func nest(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        struct Anything: Decodable { init(from decoder: any Decoder) {} }
        #expect(throws: Never.self) { try JSON.decode(Anything.self, from: nest(128), name: "x") }
        #expect(throws: DocumentError.self) { try JSON.decode(Anything.self, from: nest(129), name: "x") }
        #expect(JSON.depthLimit < JSONParser.depthLimit)
    }
}
