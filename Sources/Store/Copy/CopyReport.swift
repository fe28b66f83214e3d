import Archive
import Platform

/// What a copy did, entry by entry and in sum.
package struct CopyReport: Sendable {
    /// What became of one entry.
    package enum Event: Sendable {
        /// `size` in bytes; 0 for what is no file.
        case copied(FileStatus.Kind, isNew: Bool, size: Int64)
        /// It is another name of a file that was copied before.
        case linked
        /// Only owner, mode or time were not right.
        case adjusted
        case deleted
        /// A device, a FIFO or a socket.
        case leftOut
        /// It went away before it could be read.
        case vanished
        /// It was written to while it was read.
        case changed
        case failed(reason: String)
    }

    package internal(set) var files = 0
    package internal(set) var directories = 0
    package internal(set) var links = 0
    package internal(set) var adjusted = 0
    package internal(set) var deleted = 0
    package internal(set) var specials = 0
    package internal(set) var vanished = 0
    package internal(set) var changed = 0
    package internal(set) var failures = 0
    /// Bytes of the files that were copied, holes included.
    package internal(set) var bytes: Int64 = 0
    /// Files whose rights go with whoever runs them: set-user-ID, set-group-ID or capabilities.
    package internal(set) var privileged = 0
    /// Extended attributes and owners that the destination did not take.
    package internal(set) var lost: String?

    package init() {}

    /// Whether the destination has all of the source, as it still is.
    package var isWhole: Bool {
        failures == 0 && specials == 0 && vanished == 0 && changed == 0 && lost == nil
    }

    /// Whether nothing had to be done.
    package var isEmpty: Bool { files + directories + links + adjusted + deleted == 0 }

    mutating func count(_ event: Event) {
        switch event {
        case .copied(.directory, _, _): directories += 1
        case .copied(.symbolicLink, _, _), .linked: links += 1
        case .copied(_, _, let size):
            files += 1
            bytes = bytes.addingReportingOverflow(size).partialValue
        case .adjusted: adjusted += 1
        case .deleted: deleted += 1
        case .leftOut: specials += 1
        case .vanished: vanished += 1
        case .changed: changed += 1
        case .failed: failures += 1
        }
    }
}
