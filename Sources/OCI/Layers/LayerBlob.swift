import Archive
import Libc
import Platform

/// A layer that has just been put into the store.
package struct LayerBlob: Hashable, Sendable {
    package let descriptor: Descriptor
    /// The digest of the plain archive.
    package let diffID: Digest
}

/// How a new layer is compressed.
package enum LayerCompression: String, CaseIterable, Sendable {
    case gzip, zstd

    fileprivate var mediaType: MediaType { self == .gzip ? .ociLayerGzip : .ociLayerZstd }
    fileprivate var format: Compression { self == .gzip ? .gzip : .zstd }
}

extension ImageLayout {
    /// Puts a layer into the store that `fill` writes; what is not finished is gone again.
    ///
    /// The bytes depend on nothing but what is written, and on the libraries that compress.
    package func writeLayer(
        _ compression: LayerCompression, _ fill: (TarWriter) throws -> Void
    ) throws -> LayerBlob {
        let blob = BlobSink(try BlobWriter(to: self))
        let threads = max(1, min(32, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let encoder = try compression.format.encoder(blob, threads: threads)
        let plain = HashingSink(encoder, try DigestHasher(.sha256))
        let writer = TarWriter(BufferedSink(plain))
        try fill(writer)
        try writer.finish()
        return LayerBlob(
            descriptor: try blob.close(mediaType: compression.mediaType, in: self), diffID: plain.digest())
    }

    /// Makes an image of `config` and the layers, all of which are in the store, and gives it a name.
    ///
    /// Layers keep their bytes; their types become those of OCI. All of it is on the disk before it has the name.
    package func keep(
        _ config: ImageConfig, layers: [Descriptor], as reference: Reference
    ) throws -> Descriptor {
        let manifest = Manifest(
            config: try put(JSON.encode(config), mediaType: .ociConfig),
            layers: layers.map { layer in
                var layer = layer
                layer.mediaType = layer.mediaType.asOCILayer
                return layer
            })
        var top = try put(JSON.encode(manifest), mediaType: .ociManifest)
        top.platform = config.platform
        try flush([top])
        try tag(reference, as: top)
        return top
    }
}

extension MediaType {
    /// The same layer in OCI's words.
    fileprivate var asOCILayer: MediaType {
        guard rawValue.hasPrefix("application/vnd.docker.image.rootfs.diff.tar") else { return self }
        if rawValue.hasSuffix("gzip") { return .ociLayerGzip }
        return rawValue.hasSuffix("zstd") ? .ociLayerZstd : .ociLayer
    }
}

/// Writes into the store.
private final class BlobSink: ByteSink {
    private var writer: BlobWriter?

    init(_ writer: consuming BlobWriter) { self.writer = consume writer }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try writer?.write(bytes) }
    func finish() throws {}

    func close(mediaType: MediaType, in store: borrowing ImageLayout) throws -> Descriptor {
        guard let writer = writer.take() else { throw SystemError("write", code: 0) }
        return try writer.finish(mediaType: mediaType, in: store)
    }
}

/// Hashes what it passes on.
private final class HashingSink: ByteSink {
    private let sink: any ByteSink
    private var hasher: DigestHasher?
    private var result: Digest?

    init(_ sink: any ByteSink, _ hasher: consuming DigestHasher) {
        self.sink = sink
        self.hasher = consume hasher
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        hasher?.update(bytes)
        try sink.write(bytes)
    }

    func finish() throws { try sink.finish() }

    func digest() -> Digest {
        if let hasher = hasher.take() { result = hasher.finish() }
        return result ?? Digest(.sha256, bytes: [UInt8](repeating: 0, count: 32))
    }
}
