import Testing

@testable import Platform

@Suite("Quoted") struct QuotedTests {
    @Test(
        "strangers' bytes cannot reach the terminal",
        arguments: [
            ("plain text", "plain text"),
            ("a\u{1b}[31mred", "a\\e[31mred"),
            ("tab\tnew\nline\rback\\", "tab\\tnew\\nline\\rback\\\\"),
            ("bell\u{07}del\u{7f}", "bell\\x07del\\x7f"),
            ("csi\u{9b}31m", "csi\\u{9b}31m"),
            ("right\u{202e}left", "right\\u{202e}left"),
            ("mark\u{61c}feff\u{feff}", "mark\\u{61c}feff\\u{feff}"),
            ("über 日本", "über 日本"),
        ])
    func escapes(text: String, expected: String) {
        #expect(Quoted(text).description == expected)
    }

    @Test("bytes that are not UTF-8 appear as hexadecimal")
    func brokenEncoding() {
        #expect(Quoted(bytes: [0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]).description == "a\\xff\\xc3(\\xe2\\x82")
    }
}
