import Platform

/// Compressed data that cannot be read.
package enum CodecError: Error, Hashable, Sendable {
    /// The data stops before the end that its format announces.
    case truncated(Compression)
    case damaged(Compression)
    /// Reading it needs more memory than this program gives a decoder.
    case needsMemory(Compression)
    /// The library has no memory left, or refused to start.
    case unavailable(Compression)
    /// More bytes than the reader was prepared for.
    case tooLong(limit: Int)
}

extension CodecError: UserFacing {
    package var message: String {
        switch self {
        case .truncated(let format): "the \(format) data ends too early"
        case .damaged(let format): "the \(format) data is damaged"
        case .needsMemory(let format): "the \(format) data needs more memory to decompress than is allowed"
        case .unavailable(let format): "\(format) could not be started: out of memory"
        case .tooLong(let limit): "the data is longer than \(limit) bytes"
        }
    }

    package var hint: String? {
        switch self {
        case .truncated, .damaged: "The file is incomplete or broken; fetch it again."
        case .needsMemory: "Compress it again with a window of at most 128 MiB."
        case .unavailable, .tooLong: nil
        }
    }
}
