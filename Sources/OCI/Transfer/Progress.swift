/// How far a pull is, as a value to draw.
package struct PullProgress: Hashable, Sendable {
    /// What happens to a layer at the moment.
    package enum Phase: Hashable, Sendable {
        /// For its turn, or for another try.
        case waiting
        /// Another process fetches the same content.
        case elsewhere
        case downloading
        /// Is it at the registry already?
        case checking
        case uploading
        /// Here and verified.
        case ready
        case applying
        case done
    }

    /// One layer on its way.
    package struct Layer: Hashable, Sendable {
        package let digest: Digest
        /// Bytes as they are stored, compressed.
        package let size: Int64
        /// Bytes that are downloaded, or, while it is applied, read.
        package var done: Int64
        package var phase: Phase
    }

    /// In the order in which they are applied.
    package var layers: [Layer]
    /// Bytes that are here, of all layers.
    package var downloaded: Int64
    package var total: Int64
}

/// Draws progress.
///
/// `show` is called about ten times a second from one thread, which is not the one that pulls, and once more at the
/// end.
package protocol PullObserver: Sendable {
    func show(_ progress: PullProgress)
}
