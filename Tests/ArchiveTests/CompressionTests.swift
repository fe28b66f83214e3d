import Testing

@testable import Archive

@Suite("Compression") struct CompressionTests {
    @Test("a short plain head is not compressed") func plain() {
        #expect(Compression.sniff([1, 2, 3]) == .none)
    }
}
