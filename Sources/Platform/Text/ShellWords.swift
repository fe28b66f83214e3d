/// Words as a POSIX shell reads and writes them.
package enum ShellWords {
    /// A quote or a backslash at the end of the text that nothing follows.
    package struct Unterminated: Error, Hashable, Sendable {
        package let delimiter: Character
    }

    /// `word` so that `sh`, and also fish, reads exactly these bytes back.
    package static func quote(_ word: RawString) -> RawString {
        let plain = !word.bytes.isEmpty && word.bytes.allSatisfy(isPlain)
        if plain { return word }
        var result: [UInt8] = [0x27]
        for byte in word.bytes {
            // Both stand outside of the quotes: to fish, the backslash has a meaning inside.
            if byte == 0x27 || byte == 0x5c {
                result += [0x27, 0x5c, byte, 0x27]
            } else {
                result.append(byte)
            }
        }
        return RawString(bytes: result + [0x27]) ?? word
    }

    /// `word` so that `sh` reads exactly this text back.
    package static func quote(_ word: String) -> String { quote(RawString(word)).text }

    /// A command line of these words.
    package static func join(_ words: some Sequence<RawString>) -> RawString {
        RawString(bytes: Array(words.map { quote($0).bytes }.joined(separator: [0x20]))) ?? ""
    }

    /// The words of a command line: blanks separate, quotes and backslashes keep together, nothing is expanded.
    package static func split(_ text: String) throws(Unterminated) -> [String] {
        var words: [String] = []
        var word: String?
        var characters = Substring(text)
        while let character = characters.popFirst() {
            switch character {
            case " ", "\t", "\n":
                if let finished = word { words.append(finished) }
                word = nil
            case "'":
                guard let end = characters.firstIndex(of: "'") else { throw Unterminated(delimiter: "'") }
                word = (word ?? "") + characters[..<end]
                characters = characters[characters.index(after: end)...]
            case "\"": word = (word ?? "") + (try doubleQuoted(&characters))
            case "\\":
                guard let next = characters.popFirst() else { throw Unterminated(delimiter: "\\") }
                if next != "\n" { word = (word ?? "") + String(next) }
            default: word = (word ?? "") + String(character)
            }
        }
        if let finished = word { words.append(finished) }
        return words
    }

    private static func doubleQuoted(_ characters: inout Substring) throws(Unterminated) -> String {
        var result = ""
        while let character = characters.popFirst() {
            if character == "\"" { return result }
            guard character == "\\", let next = characters.popFirst() else {
                result.append(character)
                continue
            }
            // Inside double quotes a backslash is itself except before these (POSIX 2.2.3).
            if next == "\n" { continue }
            if !"$`\"\\".contains(next) { result.append("\\") }
            result.append(next)
        }
        throw Unterminated(delimiter: "\"")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "_-./:=@%+,".utf8.contains(byte)
        }
    }
}
