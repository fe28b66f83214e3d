import Archive
import Libc
import Platform

@testable import OCI

/// An image store of one test.
func makeStore(_ scratch: Scratch, _ name: String = "store") throws -> ImageLayout {
    try ImageLayout.open(scratch.directory(name))
}

extension ImageLayout {
    /// The store for this test alone; between fork and exec, the programs that other tests start share its locks.
    func claimed() throws -> SoleUse {
        for _ in 0..<100 {
            if let sole = try claimIfFree() { return sole }
            RetryPolicy.sleep(0.02)
        }
        return try claim()
    }

    /// Collects garbage; how many files that were.
    func collect(sparing bytes: Int64 = 0) throws -> Int {
        try claimed().collectGarbage(sparing: bytes).files
    }

    func remove(_ images: [StoredImage]) throws -> SoleUse.Removal { try claimed().remove(images) }

    func untag(_ name: String) throws {
        let reference = try Reference(name).description
        try untag { $0.referenceName == reference }
    }
}

/// Bytes that do not compress and are the same in every run.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
}

/// Puts an image with layers of these sizes into a store; the layers are noise, which no registry looks into.
@discardableResult
func putImage(
    _ store: borrowing ImageLayout, as name: String, sizes: [Int], platform: String = "linux/amd64",
    seed: UInt64 = 1,
    type: MediaType = .ociLayer
) throws -> Descriptor {
    var layers: [Descriptor] = []
    for (index, size) in sizes.enumerated() {
        layers.append(try store.put(noise(size, seed: seed &* 100 &+ UInt64(index)), mediaType: type))
    }
    let wanted = try ImagePlatform(platform)
    let config = try store.put(
        JSON.encode(ImageConfig(platform: wanted, diffIDs: layers.map(\.digest))), mediaType: .ociConfig)
    var manifest = try store.put(
        JSON.encode(Manifest(config: config, layers: layers)), mediaType: .ociManifest)
    manifest.platform = wanted
    if !name.isEmpty { try store.tag(Reference(name), as: manifest) }
    return manifest
}

/// Reads every layer to its verified end and keeps what it saw.
struct ReadingSink: LayerSink {
    var seen: [Int] = []
    var bytes: Int64 = 0

    mutating func apply(_ layer: PulledLayer) throws {
        seen.append(layer.index)
        bytes += layer.descriptor.size
        let content = try layer.content.readAll(limit: Int(layer.descriptor.size))
        let expected = layer.descriptor.digest
        let found = try Digest.of(content, expected.algorithm)
        guard found == expected else { throw LayerError.wrongDigest(expected: expected, found: found) }
    }
}

/// A puller that does not wait long and knows nothing of the machine it runs on.
func makePuller(
    _ environment: [String: String] = [:], registries: RegistriesConfiguration = RegistriesConfiguration()
) -> Puller {
    var puller = Puller(version: "test", environment: environment, registries: registries)
    puller.retry.firstPause = 0.05
    puller.http.silence = 5
    return puller
}
