import Testing

@testable import OCI

@Suite("Digest") struct DigestTests {
    static let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test("what is well formed comes back as it was")
    func roundTrip() throws {
        let digest = try Digest(Self.empty)
        #expect(digest.description == Self.empty)
        #expect(digest.fileName == Self.empty.replacingColon)
        #expect(digest.short == "e3b0c44298fc")
    }

    @Test(
        "a digest that could be a path, or is not whole, is refused",
        arguments: [
            "", "sha256", "sha256:", "sha256:abc", ":" + String(repeating: "a", count: 64),
            "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "g", count: 64),
            "sha256:../../" + String(repeating: "a", count: 58),
            "sha512:" + String(repeating: "a", count: 64),
            "sha256:" + String(repeating: "a", count: 64) + "\n",
            "sha256:" + String(repeating: "ä", count: 32),
        ])
    func malformed(text: String) {
        #expect(throws: DigestError.self) { try Digest(text) }
    }

    @Test("an algorithm that nobody registered is told apart")
    func unknown() {
        let text = "md5:d41d8cd98f00b204e9800998ecf8427e"
        #expect(throws: DigestError.unknownAlgorithm(text)) { try Digest(text) }
    }
}

@Suite("DigestHasher") struct DigestHasherTests {
    @Test("the hashes are those of FIPS 180-2")
    func knownAnswers() throws {
        #expect(try Digest.of([]).description == DigestTests.empty)
        let abc = try Digest.of(Array("abc".utf8))
        #expect(abc.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let long = try Digest.of(Array("abc".utf8), .sha512)
        #expect(long.hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
        #expect(long.hex.utf8.count == 128)
    }

    @Test("pieces hash like the whole")
    func pieces() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hasher = try DigestHasher(.sha256)
        for start in stride(from: 0, to: bytes.count, by: 4099) {
            Array(bytes[start..<min(start + 4099, bytes.count)]).withUnsafeBytes { hasher.update($0) }
        }
        let digest = hasher.finish()
        #expect(try digest == Digest.of(bytes))
    }
}

extension String {
    fileprivate var replacingColon: String { String(map { $0 == ":" ? "_" : $0 }) }
}
