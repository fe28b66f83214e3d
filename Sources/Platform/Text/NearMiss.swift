/// Finds what somebody probably meant to type.
package enum NearMiss {
    /// The candidate that is closest to `text`, when it is close enough to be a slip of the fingers.
    package static func best(for text: String, among candidates: [String]) -> String? {
        let limit = max(1, text.count / 3)
        let scored = candidates.map { ($0, distance(Array(text.lowercased()), Array($0.lowercased()))) }
        guard let (candidate, score) = scored.min(by: { $0.1 < $1.1 }), score <= limit else { return nil }
        return candidate
    }

    /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
