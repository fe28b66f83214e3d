/// How much is downloaded at once, and how fast.
package struct TransferSettings: Sendable {
    /// Blobs at the same time, 1 to 10.
    package var workers: Int
    /// Bytes per second for all of them together; `nil` is as fast as it goes.
    package var rateLimit: Int?

    package init(workers: Int = 4, rateLimit: Int? = nil) {
        self.workers = min(max(workers, 1), 10)
        self.rateLimit = rateLimit
    }

    /// Reads `CD_DOWNLOAD_WORKERS` and `CD_DOWNLOAD_RATE_LIMIT`; what makes no sense counts as not set.
    package init(environment: [String: String]) {
        self.init(
            workers: environment["CD_DOWNLOAD_WORKERS"].flatMap { Int($0) } ?? 4,
            rateLimit: environment["CD_DOWNLOAD_RATE_LIMIT"].flatMap(Self.rate))
    }

    /// How many blobs may come at the same time, some seconds after the first one began.
    ///
    /// One more every tenth of a second, so that where the network is fast the first layer is there, and is being
    /// unpacked, before the others take their share.
    func connections(after seconds: Double) -> Int { min(workers, 1 + Int(min(max(0, seconds) * 10, 100))) }

    /// A whole number with an optional `K`, `M` or `G` (powers of 1024); `nil` for 0 and for anything else.
    static func rate(_ text: String) -> Int? {
        let upper = text.uppercased()
        let shift = ["K": 10, "M": 20, "G": 30][upper.suffix(1)] ?? 0
        guard let number = Int(shift == 0 ? upper[...] : upper.dropLast()), number > 0, number < 1 << 32
        else {
            return nil
        }
        return number << shift
    }
}

/// One budget of bytes per second for everything that asks.
struct RateLimiter {
    private let rate: Double?
    private var budget: Double
    private var last: Double

    init(_ rate: Int?, now: Double) {
        self.rate = rate.map(Double.init)
        budget = self.rate ?? 0
        last = now
    }

    /// Whether something may be taken now; the budget may be overdrawn once, and is then paid off.
    mutating func isOpen(at now: Double) -> Bool {
        guard let rate else { return true }
        // No more than a quarter of a second is saved up, so that a pause does not make a burst.
        budget = min(rate / 4, budget + (now - last) * rate)
        last = now
        return budget > 0
    }

    mutating func spend(_ count: Int) { if rate != nil { budget -= Double(count) } }
}
