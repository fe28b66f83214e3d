import Platform

/// Puts a `ProgressState` into words.
enum ProgressLines {
    /// One line for each running item and one for all together, at most `height`, none wider than `width`.
    static func screen(_ state: ProgressState, width: Int, height: Int, at now: Duration) -> [String] {
        guard height > 0, width > 0 else { return [] }
        var items = state.running
        let sum = items.isEmpty || height < 2 ? nil : state.sum(at: now)
        let room = sum == nil ? height : height - 1
        // The oldest are nearest to their end; of the others there is a count in the sum.
        items = Array(items.prefix(room)) + (sum.map { [$0] } ?? [])
        let titles = items.map { title($0, of: state, isSum: $0.id.isEmpty) }
        let column = min(titles.map { DisplayWidth.of($0) }.max() ?? 0, max(8, width / 3))
        return zip(items, titles).map { item, title in line(item, title, column, width, now) }
    }

    /// The same in a sentence, for a log: `abc: downloading 45% (12.3 MiB of 40.0 MiB, 3.2 MiB/s)`.
    static func log(_ item: ProgressState.Item, at now: Duration) -> String {
        let amount =
            item.total.map { "\(ByteCount(item.done)) of \(ByteCount($0))" } ?? "\(ByteCount(item.done))"
        let details = [amount, rate(item, now)].compactMap { $0 }.joined(separator: ", ")
        let words = [Quoted(item.phase).description, percent(item)].compactMap { $0 }.filter { !$0.isEmpty }
        return "\(Quoted(item.label)): \((words + ["(\(details))"]).joined(separator: " "))"
    }

    /// What is said when an item has ended: `abc: done, 40.0 MiB in 3 s`.
    static func done(_ item: ProgressState.Item, at now: Duration) -> String {
        let seconds = Int64((now - item.start).seconds.rounded())
        let time = seconds < 60 ? "\(seconds) s" : "\(Uptime(seconds: seconds))"
        return "\(Quoted(item.label)): done, \(ByteCount(item.done)) in \(time)"
    }

    private static func title(_ item: ProgressState.Item, of state: ProgressState, isSum: Bool) -> String {
        if isSum { return "\(item.label) \(state.items.count - state.running.count)/\(state.items.count)" }
        return Quoted(item.label).description + (item.phase.isEmpty ? "" : " \(Quoted(item.phase))")
    }

    /// As many details as there is room for.
    private static func line(
        _ item: ProgressState.Item, _ title: String, _ column: Int, _ width: Int, _ now: Duration
    ) -> String {
        let percent = percent(item).map { DisplayWidth.pad($0, to: 4, right: true) }
        let amount =
            item.total.map { "\(ByteCount(item.done)) / \(ByteCount($0))" } ?? "\(ByteCount(item.done))"
        let rate = rate(item, now)
        let remaining = item.remaining(at: now).map { "ETA \(clock($0))" }
        let choices: [[String?]] = [
            [bar(item, 20), percent, amount, rate, remaining],
            [bar(item, 10), percent, amount, rate, remaining],
            [percent, amount, rate, remaining], [percent, amount, rate], [percent, amount],
            [percent ?? "\(ByteCount(item.done))"],
        ]
        for choice in choices {
            let details = choice.compactMap { $0 }.joined(separator: "  ")
            if column + 2 + DisplayWidth.of(details) <= width {
                return DisplayWidth.pad(DisplayWidth.truncate(title, to: column), to: column) + "  " + details
            }
        }
        return DisplayWidth.truncate(title, to: width)
    }

    private static func bar(_ item: ProgressState.Item, _ cells: Int) -> String? {
        guard let total = item.total, total > 0 else { return nil }
        let filled = Int(Double(min(max(item.done, 0), total)) / Double(total) * Double(cells))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled)
            + "]"
    }

    private static func percent(_ item: ProgressState.Item) -> String? {
        guard let total = item.total, total > 0 else { return nil }
        return "\(Int(Double(min(max(item.done, 0), total)) / Double(total) * 100))%"
    }

    private static func rate(_ item: ProgressState.Item, _ now: Duration) -> String? {
        item.rate(at: now).map { "\(ByteCount(Int64(max(0, $0))))/s" }
    }

    private static func clock(_ seconds: Int64) -> String {
        let two = { (value: Int64) in value < 10 ? "0\(value)" : "\(value)" }
        if seconds < 3600 { return "\(seconds / 60):\(two(seconds % 60))" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
