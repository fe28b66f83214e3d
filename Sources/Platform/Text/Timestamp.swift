import CLinux
import Libc

/// A moment of the calendar clock, read and written as RFC 3339 text.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z; negative before.
    package let seconds: Int64
    /// Of the second: 0 to 999 999 999.
    package let nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present moment (`CLOCK_REALTIME`).
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// Reads `2024-05-01T12:00:00Z`, also with a fraction and with an offset such as `+02:00`.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let year = Self.number(&rest, 4), Self.skip(&rest, "-"), let month = Self.number(&rest, 2),
            Self.skip(&rest, "-"), let day = Self.number(&rest, 2), Self.skip(&rest, "Tt "),
            let hour = Self.number(&rest, 2), Self.skip(&rest, ":"), let minute = Self.number(&rest, 2),
            Self.skip(&rest, ":"), let second = Self.number(&rest, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        nanoseconds = Self.fraction(&rest)
        guard let offset = Self.offset(&rest), rest.isEmpty else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// How long ago `self` was, seen from `now`: `just now`, `5 minutes ago`, `3 days ago`, `2 years ago`.
    package func relative(to now: Timestamp = .now) -> String {
        // No moment that anybody can mean is further away.
        let age = now.seconds - max(seconds, -1 << 60)
        let units: [(Int64, String)] = [
            (31_557_600, "year"), (2_629_800, "month"), (604_800, "week"), (86400, "day"), (3600, "hour"),
            (60, "minute"),
        ]
        for (length, name) in units where age.magnitude >= UInt64(length) {
            let count = age.magnitude / UInt64(length)
            let amount = "\(count) \(name)\(count == 1 ? "" : "s")"
            return age < 0 ? "in \(amount)" : "\(amount) ago"
        }
        return "just now"
    }
}

extension Timestamp: CustomStringConvertible {
    /// In UTC, to the second: `2024-05-01T12:00:00Z`.
    package var description: String {
        let day = Self.floored(seconds, 86400)
        let time = seconds % 86400 + (seconds % 86400 < 0 ? 86400 : 0)
        let (year, month, date) = Self.date(ofDay: day)
        return "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(date, 2))T"
            + "\(Self.pad(time / 3600, 2)):\(Self.pad(time / 60 % 60, 2)):\(Self.pad(time % 60, 2))Z"
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Timestamp {
    /// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + floored(shifted, 4) - floored(shifted, 100) + floored(shifted, 400) + dayOfYear
            - 719_468
    }

    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floored(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ length: Int) -> Int64? {
        let digits = rest.prefix(length)
        guard digits.count == length, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(length)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, _ accepted: String) -> Bool {
        guard let first = rest.first, accepted.utf8.contains(first) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Digits beyond the ninth are cut off.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int32 {
        guard rest.first == UInt8(ascii: ".") else { return 0 }
        let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count + 1)
        let known = digits.prefix(9).reduce(Int32(0)) { $0 * 10 + Int32($1 - 0x30) }
        return (digits.count..<max(9, digits.count)).reduce(known) { value, _ in value * 10 }
    }

    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if skip(&rest, "Zz") { return 0 }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard skip(&rest, "+-"), let hours = number(&rest, 2), skip(&rest, ":"),
            let minutes = number(&rest, 2)
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

/// How long something has been running, in two units: `4m07s`, `3h20m`, `2d05h`.
package struct Uptime: Hashable, Sendable, CustomStringConvertible {
    /// Never negative, even when a clock went backwards.
    package let seconds: Int64

    package init(seconds: Int64) { self.seconds = max(0, seconds) }

    package var description: String {
        switch seconds {
        case ..<3600: "\(seconds / 60)m\(Self.two(seconds % 60))s"
        case ..<86400: "\(seconds / 3600)h\(Self.two(seconds / 60 % 60))m"
        default: "\(seconds / 86400)d\(Self.two(seconds / 3600 % 24))h"
        }
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
