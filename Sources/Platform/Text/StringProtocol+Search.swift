// The module that has these for every collection comes with regular expressions, which a program that starts for each
// `login` had better be without.
extension StringProtocol {
    /// Where a text first stands in this one, byte for byte.
    package func firstRange(of text: String) -> Range<Index>? {
        var start = utf8.startIndex
        while true {
            let rest = utf8[start...]
            if rest.starts(with: text.utf8) {
                return start..<utf8.index(start, offsetBy: text.utf8.count)
            }
            guard start < utf8.endIndex else { return nil }
            start = utf8.index(after: start)
        }
    }

    /// Whether a text stands anywhere in this one.
    package func contains(text: String) -> Bool { firstRange(of: text) != nil }
}
