import Libc
import Platform

/// Waiting for a state that other processes bring about, however busy the machine is.
package enum Waiting {
    /// Looks again and again until `condition` holds; false when it has not within so many seconds.
    package static func until(
        within seconds: Double = 60, _ condition: () throws -> Bool
    ) rethrows -> Bool {
        let deadline = Clock.now + seconds
        while true {
            if try condition() { return true }
            if Clock.now > deadline { return false }
            usleep(5000)
        }
    }

    /// The same where nothing can go on without it.
    package static func require(
        _ what: String, within seconds: Double = 60, _ condition: () throws -> Bool
    ) throws {
        guard try until(within: seconds, condition) else {
            throw Run.Failure(description: "waited \(seconds) seconds in vain: \(what)")
        }
    }
}

/// Random moments at which something is killed, from its start to a little after its end.
///
/// How long it takes is measured anew with each round, since other tests have the processors, too: who was killed
/// before the deed was done gets more time, who had done it gets less.
package struct KillingMoments {
    /// Seconds.
    private var window: Double
    /// Rounds in which the deed was not done, and in which it was.
    package private(set) var early = 0
    package private(set) var late = 0

    /// `whole` is how many seconds the deed has taken when nobody disturbed it.
    package init(whole: Double) { window = max(whole * 1.1, 0.001) }

    /// The same, measured.
    package init(measuring deed: () throws -> Void) rethrows {
        let start = Clock.now
        try deed()
        self.init(whole: Clock.now - start)
    }

    /// Passes the time until the next moment.
    package func pass() { usleep(UInt32(Double.random(in: 0...window) * 1e6)) }

    /// Takes note of how a round has ended.
    package mutating func note(done: Bool) {
        if done { late += 1 } else { early += 1 }
        window *= done ? 0.9 : 1.1
    }

    /// Whether another round is due: so many at least, and more until both ends were seen.
    package func wantsMore(than rounds: Int) -> Bool {
        early + late < rounds || ((early == 0 || late == 0) && early + late < rounds * 10)
    }

    /// Whether some were killed before the deed was done, and some after it.
    package var hitBothSides: Bool { early > 0 && late > 0 }
}
