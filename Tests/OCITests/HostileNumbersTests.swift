import Archive
import Platform
import Testing

@testable import OCI

@Suite("Numbers of strangers") struct HostileNumbersTests {
    @Test(
        "no variant of a processor is too new to compare",
        arguments: ["v9223372036854775807", "v9.9999999999"])
    func variant(text: String) {
        let strange = ImagePlatform(architecture: "arm64", variant: text)
        #expect(ImagePlatform(architecture: "arm64").distance(to: strange) == nil)
        _ = strange.distance(to: ImagePlatform(architecture: "arm64"))
    }

    @Test(
        "a server may ask for any pause", arguments: ["9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"])
    func pause(text: String) throws {
        var head = HTTPHead()
        head.headers["retry-after"] = text
        let wait = try #require(RetryPolicy.retryAfter(head))
        #expect(wait == 315_360_000)
        #expect(RegistryError.rateLimited(registry: "r.io", wait: wait).message.contains("hours"))
    }

    @Test("a size that no content has is refused", arguments: [-1, (1 << 44) + 1, .max] as [Int64])
    func size(size: Int64) {
        let text = #"{"digest": "\#(DigestTests.empty)", "size": \#(size)}"#
        #expect(throws: DocumentError.self) {
            try JSON.decode(Descriptor.self, from: Array(text.utf8), name: "descriptor")
        }
    }

    @Test("sizes at the limit can be summed up")
    func sum() throws {
        let text = #"{"digest": "\#(DigestTests.empty)", "size": \#(1 << 44)}"#
        let layer = try JSON.decode(Descriptor.self, from: Array(text.utf8), name: "descriptor")
        let board = TransferBoard(layers: Array(repeating: layer, count: Manifest.layerLimit))
        #expect(board.progress.total == 1000 << 44)
    }

    @Test("sums of sizes that no disk has stay at the largest number")
    func saturating() {
        #expect(Int64.max.saturating(adding: 1) == .max && (Int64.max - 3).saturating(adding: 2) == .max - 1)
        var report = TreeReport()
        report.bytes = .max - 1
        for _ in 0..<3 { report += report }
        #expect(report.bytes == .max)
    }

    @Test("a length that no file has counts as not said", arguments: ["9223372036854775807", "-5", "x"])
    func length(text: String) {
        var head = HTTPHead()
        head.headers["content-length"] = text
        #expect(head.length == nil)
    }

    @Test(
        "a range says where it starts and how much there is",
        arguments: [
            ("bytes 5-9/20", 5, 20), ("bytes 5-9/*", 5, 10), ("bytes 0-0/1", 0, 1), ("bytes 5-9/9", nil, nil),
            ("bytes 9-5/20", nil, nil), ("bytes */20", nil, nil), ("5-9/20", nil, nil),
            ("bytes 5-9", nil, nil),
            ("bytes 0-9223372036854775807/*", nil, nil), ("bytes ", nil, nil), ("bytes -5-9/20", nil, nil),
        ] as [(String, Int64?, Int64?)])
    func range(text: String, start: Int64?, total: Int64?) {
        var head = HTTPHead()
        head.headers["content-range"] = text
        #expect(head.range?.start == start)
        #expect(head.range?.total == total)
    }
}
