import Testing

@testable import Platform

@Suite("Timestamp") struct TimestampTests {
    @Test(
        "RFC 3339, there and back",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_827_696, "2000-02-29T12:34:56Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"), (4_102_444_800, "2100-01-01T00:00:00Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func both(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).description == text)
        #expect(Timestamp(text)?.seconds == seconds)
    }

    @Test("moments that no calendar has are written all the same", arguments: [Int64.min, .min + 1, .max])
    func extremes(seconds: Int64) {
        let text = Timestamp(seconds: seconds).description
        #expect(text.hasSuffix("Z") && text.contains("T"))
        #expect(!Timestamp(seconds: seconds).relative(to: Timestamp(seconds: 0)).isEmpty)
    }

    @Test(
        "fractions and offsets",
        arguments: [
            ("2024-05-01T12:00:00.123456789Z", 1_714_564_800, 123_456_789),
            ("2024-05-01T14:00:00+02:00", 1_714_564_800, 0),
            ("2024-05-01t10:30:00.5-01:30", 1_714_564_800, 500_000_000),
            ("2024-05-01T12:00:00.1234567891234Z", 1_714_564_800, 123_456_789),
        ] as [(String, Int64, Int32)])
    func reads(text: String, seconds: Int64, nanoseconds: Int32) {
        #expect(Timestamp(text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "2024", "2024-13-01T00:00:00Z", "2024-05-32T00:00:00Z", "2024-05-01T25:00:00Z",
            "2024-05-01T00:00:00",
            "2024-05-01T00:00:00Zx", "2024-05-01T00:00:00+2", "24-05-01T00:00:00Z",
        ])
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(
        "how long ago",
        arguments: [
            (0, "just now"), (59, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"),
            (259_200, "3 days ago"),
            (1_209_600, "2 weeks ago"), (70_000_000, "2 years ago"), (-120, "in 2 minutes"),
        ] as [(Int64, String)])
    func relative(age: Int64, expected: String) {
        #expect(Timestamp(seconds: 1000).relative(to: Timestamp(seconds: 1000 + age)) == expected)
    }

    @Test(
        "how long it has been running",
        arguments: [
            (-5, "0m00s"), (7, "0m07s"), (3599, "59m59s"), (3600, "1h00m"), (86399, "23h59m"),
            (86400, "1d00h"),
            (900_000, "10d10h"),
        ] as [(Int64, String)])
    func uptime(seconds: Int64, expected: String) {
        #expect(Uptime(seconds: seconds).description == expected)
    }
}
