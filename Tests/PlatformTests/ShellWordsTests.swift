import Libc
import Testing

@testable import Platform

@Suite("ShellWords") struct ShellWordsTests {
    @Test(
        "a word is quoted only when it must be",
        arguments: [
            ("plain", "plain"), ("/a-b_c.d:e=f@g%h+i,j", "/a-b_c.d:e=f@g%h+i,j"), ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"), ("$HOME", "'$HOME'"), ("~", "'~'"), ("a\nb", "'a\nb'"),
        ])
    func quotes(word: String, expected: String) throws {
        #expect(ShellWords.quote(word) == expected)
        #expect(try ShellWords.split(expected) == [word])
    }

    @Test(
        "a line is split as sh splits it",
        arguments: [
            ("", []), ("  a\tb \n c ", ["a", "b", "c"]), ("a'b c'd", ["ab cd"]),
            ("\"a \\\"b\\\" $\" c", ["a \"b\" $", "c"]),
            ("a\\ b", ["a b"]), ("''", [""]), ("\"\\x\"", ["\\x"]), ("a\\\nb", ["ab"]),
            ("\"a\\\nb\"", ["ab"]),
        ])
    func splits(line: String, expected: [String]) throws {
        #expect(try ShellWords.split(line) == expected)
    }

    @Test("what is not ended is refused", arguments: ["'a", "\"a", "a\\", "\"a\\"])
    func unterminated(line: String) {
        #expect(throws: ShellWords.Unterminated.self) { try ShellWords.split(line) }
    }

    @Test("sh itself reads the same bytes back")
    func shell() throws {
        let words =
            try ["a b", "it's \\ \"$x\" `y`", "", "-n", "é\u{1b}", "*"].map { RawString($0) }
            + [#require(RawString(bytes: [0x61, 0xff, 0x0a, 0x62]))]
        let line = ShellWords.join(words)
        let command = RawString(bytes: Array("printf '%s\\0' ".utf8) + line.bytes)
        let stream = try #require(command?.withCString { popen($0, "r") })
        defer { pclose(stream) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, stream)
        let read = buffer.prefix(count).split(separator: 0, omittingEmptySubsequences: false).dropLast()
        #expect(read.map(Array.init) == words.map(\.bytes))
    }
}
