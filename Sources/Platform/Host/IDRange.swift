/// Consecutive user and group ids of this host.
package struct IDRange: Hashable, Sendable {
    package let start: UInt32
    package let count: UInt32

    /// As many ids as every Linux system expects to have: 0 to 65535, `nobody` being 65534.
    package static let systemSize: UInt32 = 65536

    /// The last id there is means "none", so a range ends before it.
    package init?(start: UInt32, count: UInt32) {
        guard count > 0, start <= .max - count else { return nil }
        self.start = start
        self.count = count
    }

    /// One past the last.
    package var end: UInt32 { start + count }

    package func overlaps(_ other: IDRange) -> Bool { start < other.end && other.start < end }
    package func contains(_ other: IDRange) -> Bool { start <= other.start && other.end <= end }

    /// Which id of this host stands for the `id` of a container that has this range.
    package func host(_ id: UInt32) -> UInt32 { id < count ? start + id : .max - 1 }
}
