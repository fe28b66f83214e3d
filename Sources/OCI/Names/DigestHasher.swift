import CTransport

/// Names content that arrives piece by piece.
///
/// The work is done by libcrypto, with the processor's own SHA instructions where it has them.
package struct DigestHasher: ~Copyable {
    private let algorithm: Digest.Algorithm
    private let context: OpaquePointer

    /// Loads libcrypto when this is the first hasher; throws when this system has none.
    package init(_ algorithm: Digest.Algorithm) throws(MissingLibrary) {
        guard let context = cd_hasher_new(Int32(algorithm.hexLength * 4)) else { throw .crypto }
        self.algorithm = algorithm
        self.context = context
    }

    deinit { cd_hasher_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let isDone = cd_hasher_update(context, bytes.baseAddress, bytes.count)
        precondition(isDone, "libcrypto takes any bytes until the end")
    }

    /// The name of everything that was given to `update`.
    package consuming func finish() -> Digest {
        let algorithm = algorithm
        return Digest(algorithm, bytes: finishBytes())
    }

    /// The bare hash.
    consuming func finishBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: algorithm.hexLength / 2)
        let isDone = cd_hasher_finish(context, &bytes)
        precondition(isDone, "libcrypto ends what it began")
        return bytes
    }
}

extension Digest {
    /// Names `bytes` by their hash.
    package static func of(_ bytes: [UInt8], _ algorithm: Algorithm = .sha256) throws(MissingLibrary)
        -> Digest
    {
        var hasher = try DigestHasher(algorithm)
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }
}
