import Platform

/// An archive that cannot be read any further.
package struct TarError: Error, Sendable {
    /// Why not.
    package enum Reason: Sendable {
        /// The archive stops inside an entry.
        case truncated
        /// The archive stops between two entries, without the end mark.
        case noEndMark
        /// What should be the first header is none.
        case notAnArchive
        case badChecksum
        /// A number in the named field is malformed, negative or out of range.
        case badNumber(field: String)
        /// Extended headers that contradict themselves or POSIX.1-2017, pax, "pax Extended Header".
        case badExtendedHeader
        case badSparseMap
        /// A NUL inside a name.
        case badName
        /// The named part is longer than `limit` bytes.
        case tooLong(part: String, limit: Int)
        /// A part of an archive on several volumes.
        case continuedVolume
        /// The bytes could not be had.
        case source(any Error)
    }

    package let reason: Reason
    /// Where it happened: bytes from the start of the (decompressed) archive.
    package let offset: Int64

    package init(_ reason: Reason, offset: Int64) {
        self.reason = reason
        self.offset = offset
    }
}

extension TarError: UserFacing {
    package var message: String {
        switch reason {
        case .truncated: "the archive ends too early, inside an entry (at byte \(offset))"
        case .noEndMark: "the archive ends too early, without an end mark (at byte \(offset))"
        case .notAnArchive: "this is not a tar archive"
        case .badChecksum: "the archive is damaged: bad header checksum at byte \(offset)"
        case .badNumber(let field): "the archive is damaged: bad \(field) in the header at byte \(offset)"
        case .badExtendedHeader: "the archive is damaged: bad extended header at byte \(offset)"
        case .badSparseMap: "the archive is damaged: bad map of a sparse file at byte \(offset)"
        case .badName: "the archive is damaged: a name with a NUL in it at byte \(offset)"
        case .tooLong(let part, let limit):
            "the archive has a \(part) of more than \(limit) bytes at byte \(offset)"
        case .continuedVolume: "the archive is one of several volumes, which are not supported"
        case .source(let error): (error as? any UserFacing)?.message ?? "the archive cannot be read: \(error)"
        }
    }

    package var hint: String? {
        switch reason {
        case .truncated, .noEndMark, .badChecksum, .badNumber, .badExtendedHeader, .badSparseMap, .badName:
            "The file is incomplete or broken; fetch it again."
        case .notAnArchive: "Archives are tar files, plain or compressed with gzip, bzip2, xz, lzma or zstd."
        case .source(let error): (error as? any UserFacing)?.hint
        case .tooLong, .continuedVolume: nil
        }
    }
}
