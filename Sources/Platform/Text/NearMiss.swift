/// Finds what somebody probably meant.
package enum NearMiss {
    /// The candidate closest to `word`; `nil` when none is close enough to be worth suggesting.
    ///
    /// One slip is forgiven in every three letters, and one always. Between equals the earlier candidate wins.
    package static func of(_ word: String, among candidates: [String]) -> String? {
        let limit = max(1, word.count / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            // A word of one letter is one slip away from every other one.
            let distance = distance(word.lowercased(), candidate.lowercased())
            guard distance <= limit, distance < candidate.count, distance < (best?.distance ?? .max) else {
                continue
            }
            best = (candidate, distance)
        }
        if let best { return best.candidate }
        guard word.count >= 3 else { return nil }
        let completions = candidates.filter { $0.hasPrefix(word) }
        return completions.count == 1 ? completions.first : nil
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
    ///
    /// Damerau-Levenshtein in the restricted form, where no letter is touched twice.
    package static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row] + [Int](repeating: 0, count: right.count)
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                current[column] = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1]
                {
                    current[column] = min(current[column], beforeLast[column - 2] + 1)
                }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
