import Testing

@testable import Platform

@Suite("RawString") struct RawStringTests {
    @Test("bytes that are not UTF-8 survive a trip through C")
    func roundTrip() throws {
        let bytes: [UInt8] = [0xff, 0x00, 0x61]
        #expect(RawString(bytes: bytes) == nil)
        let raw = try #require(RawString(bytes: [0xff, 0xc3, 0x61]))
        #expect(raw.withCString { RawString(cString: $0) } == raw)
    }

    @Test("a NUL ends a text")
    func nul() { #expect(RawString("ab\0cd") == "ab") }

    @Test("printing escapes, comparing goes by bytes")
    func printing() {
        #expect(RawString("a\u{7}").description == "a\\x07")
        #expect(RawString("a") < RawString("a\u{1}") && RawString("B") < RawString("a"))
        #expect(RawString("").withCString { RawString(cString: $0) } == "")
    }
}
