import Testing

@testable import Platform

@Suite("DisplayWidth") struct DisplayWidthTests {
    @Test(
        "cells, not letters",
        arguments: [
            ("", 0), ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("über", 4), ("👍", 2), ("한", 2),
            ("❤\u{fe0f}", 2),
        ])
    func width(text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }

    @Test(
        "what does not fit ends in an ellipsis, and never takes more than it may",
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("日本語", 4, "日…"), ("ab", 1, "…"), ("ab", 0, ""),
        ])
    func truncates(text: String, columns: Int, expected: String) {
        #expect(DisplayWidth.truncate(text, to: columns) == expected)
        #expect(DisplayWidth.of(DisplayWidth.truncate(text, to: columns)) <= columns)
    }

    @Test("blanks fill up on either side")
    func pads() {
        #expect(DisplayWidth.pad("日", to: 4) == "日  ")
        #expect(DisplayWidth.pad("7", to: 3, right: true) == "  7")
        #expect(DisplayWidth.pad("long", to: 2) == "long")
    }
}
