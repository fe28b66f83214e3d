import CLinux

/// How many descriptors this process may have open (RLIMIT_NOFILE of getrlimit(2)).
package struct DescriptorLimit: Sendable {
    private let soft: UInt64
    private let hard: UInt64

    private init() {
        var (soft, hard) = (UInt64(0), UInt64(0))
        cd_descriptor_limits(&soft, &hard)
        (self.soft, self.hard) = (soft, hard)
    }

    /// As many as that.
    package static var current: Int { Int(clamping: DescriptorLimit().soft) }

    /// Enough for every process of a large container.
    private static let wanted: UInt64 = 1 << 16

    /// Raises it as far as it goes and is of use, and gives back what it was.
    ///
    /// Programs inherit it, and some of them close every descriptor that they could have: so it is to be restored.
    package static func raise() -> DescriptorLimit {
        let before = DescriptorLimit()
        guard before.soft < wanted else { return before }
        if cd_set_descriptor_limits(wanted, max(wanted, before.hard)) != 0 {
            _ = cd_set_descriptor_limits(min(wanted, before.hard), before.hard)
        }
        return before
    }

    /// Makes it what it was.
    package func restore() { _ = cd_set_descriptor_limits(soft, hard) }
}
