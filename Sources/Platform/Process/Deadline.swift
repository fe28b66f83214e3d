import CLinux
import Libc

/// A point in time as poll(2) wants to hear of it, on the clock that nobody can set (CLOCK_MONOTONIC).
package struct Deadline: Hashable, Sendable {
    /// Nanoseconds of the clock.
    private let time: Int64

    package init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // A hundred years are as good as for ever and cannot overflow.
        let limited = max(0, min(seconds, 3_155_760_000))
        time = MonotonicClock.nanoseconds + limited * 1_000_000_000 + max(0, attoseconds) / 1_000_000_000
    }

    /// Whole milliseconds that are left, rounded up; 0 when it has passed.
    package var milliseconds: Int32 {
        let left = time - MonotonicClock.nanoseconds
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }
}
