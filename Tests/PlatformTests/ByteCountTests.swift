import Testing

@testable import Platform

@Suite("ByteCount") struct ByteCountTests {
    @Test(
        "one decimal, units of 1024",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_575, "1.0 MiB"),
            (1_048_576, "1.0 MiB"), (457_000_000, "435.8 MiB"), (1 << 30, "1.0 GiB"), (5 << 40, "5.0 TiB"),
            (-2048, "-2.0 KiB"), (.max, "8388608.0 TiB"),
        ] as [(Int64, String)])
    func description(bytes: Int64, expected: String) {
        #expect(ByteCount(bytes).description == expected)
    }

    @Test(
        "sizes as people write them",
        arguments: [
            ("0", 0), ("512", 512), ("512B", 512), ("5k", 5120), ("5M", 5_242_880), ("10MiB", 10_485_760),
            ("10 MB", 10_485_760), ("1.5g", 1_610_612_736), ("2T", 2_199_023_255_552), ("0.5KiB", 512),
        ] as [(String, Int64)])
    func reads(text: String, expected: Int64) {
        #expect(ByteCount(text)?.bytes == expected)
    }

    @Test(
        "what is no size is refused",
        arguments: [
            "", "M", "-1", "5X", "5ib", "1.2.3", "1.", ".5", "9999999999999G", "8388608T", "5 M M", "٣",
        ])
    func refuses(text: String) {
        #expect(ByteCount(text) == nil)
    }
}
