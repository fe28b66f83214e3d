import Platform

/// How far several pieces of work have come.
///
/// A value: what it shows depends only on what it was told and when. Moments are distances from any one origin.
package struct ProgressState: Sendable {
    /// One piece of work.
    package struct Item: Sendable {
        /// Tells items apart; never shown unless there is no label.
        package let id: String
        /// What it is called on the screen.
        package internal(set) var label: String
        /// What is being done to it, such as `downloading`.
        package internal(set) var phase: String
        /// Bytes.
        package internal(set) var done: Int64 = 0
        /// Bytes; `nil` while nobody knows.
        package internal(set) var total: Int64?
        /// Whether it has ended.
        package internal(set) var isFinished = false
        let start: Duration
        /// What was done by when, for the last few seconds.
        fileprivate var samples: [(moment: Duration, done: Int64)] = []

        /// Bytes per second over the last few seconds; `nil` before anything can be said.
        package func rate(at now: Duration) -> Double? {
            guard let oldest = samples.first else { return nil }
            let seconds = (now - oldest.moment).seconds
            return seconds >= 0.5 ? Double(done - oldest.done) / seconds : nil
        }

        /// Seconds until it is finished, if it goes on like this.
        package func remaining(at now: Duration) -> Int64? {
            guard let total, let rate = rate(at: now), rate >= 1, total > done else { return nil }
            return Int64(clamping: Int((Double(total - done) / rate).rounded(.up)))
        }

        fileprivate mutating func sample(at now: Duration) {
            if let last = samples.last, now - last.moment < .milliseconds(200) { return }
            samples.append((now, done))
            while samples.count > 2, now - samples[1].moment >= .seconds(3) { samples.removeFirst() }
        }
    }

    /// In the order in which they began.
    package private(set) var items: [Item] = []

    /// Nothing has begun.
    package init() {}

    /// Those that have not ended.
    package var running: [Item] { items.filter { !$0.isFinished } }

    /// Begins an item or says how far it is; `nil` leaves its label, total or phase as they were.
    ///
    /// A new phase starts the measuring of the rate anew.
    package mutating func update(
        id: String, label: String? = nil, done: Int64, total: Int64? = nil, phase: String? = nil,
        at now: Duration
    ) {
        let index: Int
        if let known = items.firstIndex(where: { $0.id == id }) {
            index = known
        } else {
            index = items.count
            items.append(Item(id: id, label: label ?? id, phase: phase ?? "", start: now))
        }
        if let phase, phase != items[index].phase { items[index].samples = [] }
        items[index].label = label ?? items[index].label
        items[index].phase = phase ?? items[index].phase
        items[index].total = total ?? items[index].total
        items[index].done = done
        items[index].isFinished = false
        items[index].sample(at: now)
    }

    /// Ends an item; the finished item, or `nil` when there is none running by that name.
    @discardableResult
    package mutating func finish(_ id: String) -> Item? {
        guard let index = items.firstIndex(where: { $0.id == id && !$0.isFinished }) else { return nil }
        items[index].isFinished = true
        if let total = items[index].total { items[index].done = total }
        return items[index]
    }

    /// All items as one; `nil` while there are fewer than two.
    func sum(at now: Duration) -> Item? {
        guard items.count > 1, let first = items.first else { return nil }
        var sum = Item(id: "", label: "total", phase: "", start: first.start)
        sum.done = items.reduce(0) { $0 + $1.done }
        sum.total = items.contains { $0.total == nil } ? nil : items.reduce(0) { $0 + ($1.total ?? 0) }
        let rate = running.reduce(0) { $0 + ($1.rate(at: now) ?? 0) }
        if rate >= 1 { sum.samples = [(now - .seconds(1), sum.done - Int64(rate))] }
        return sum
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
