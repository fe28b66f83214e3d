import CLinux
import Libc

/// The clock that nobody sets: CLOCK_MONOTONIC (clock_gettime(2)).
package enum MonotonicClock {
    package static var nanoseconds: Int64 {
        var value = timespec()
        clock_gettime(CLOCK_MONOTONIC, &value)
        return Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec)
    }

    package static var seconds: Double { Double(nanoseconds) / 1e9 }
}
