/// What was written into a tree.
package struct TreeReport: Hashable, Sendable {
    package var files = 0
    package var directories = 0
    package var symbolicLinks = 0
    package var hardLinks = 0
    /// Device nodes and FIFOs that were made.
    package var specials = 0
    /// Requests to remove what was there before: the whiteouts of a layer.
    package var removals = 0
    /// Bytes of the regular files, holes included, each file once however many links it has.
    package var bytes: Int64 = 0
    /// By how much `TreeSize.apparent` of the tree has grown; `nil` when only measuring could tell.
    package var growth: Int64? = 0

    /// Device nodes that this user may not make.
    package var skippedSpecials = 0
    /// Extended attributes that the file system or the kernel refused.
    package var skippedAttributes = 0
    /// Entries whose owner could not be set.
    package var skippedOwners = 0
    /// Entries whose mode could not be set.
    package var skippedModes = 0
    /// Entries of types that are not Linux's.
    package var skippedUnknown = 0

    package init() {}

    package static func += (left: inout TreeReport, right: TreeReport) {
        left.files += right.files
        left.directories += right.directories
        left.symbolicLinks += right.symbolicLinks
        left.hardLinks += right.hardLinks
        left.specials += right.specials
        left.removals += right.removals
        left.bytes = left.bytes.saturating(adding: right.bytes)
        left.grow(by: right.growth)
        left.skippedSpecials += right.skippedSpecials
        left.skippedAttributes += right.skippedAttributes
        left.skippedOwners += right.skippedOwners
        left.skippedModes += right.skippedModes
        left.skippedUnknown += right.skippedUnknown
    }

    /// With `nil` from then on nobody knows.
    mutating func grow(by bytes: Int64?) {
        growth = growth.flatMap { growth in bytes.map { growth.saturating(adding: $0) } }
    }

    /// One line about everything that was left out, or `nil` when nothing was.
    package var summary: String? {
        let parts = [
            (skippedSpecials, "device nodes"), (skippedAttributes, "extended attributes"),
            (skippedOwners, "owners"), (skippedModes, "modes"),
            (skippedUnknown, "entries of unknown type"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return parts.isEmpty ? nil : "left out, not permitted here: " + parts.joined(separator: ", ")
    }
}
