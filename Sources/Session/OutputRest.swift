import Libc

/// What a guest wrote before it ended, and nobody has read yet.
///
/// Other processes may have its end, too, and write for ever. A pipe or a terminal holds so little that the guest's own
/// is in the first pieces; how long it takes to pass them on does not matter.
struct OutputRest {
    private var pieces = 100
    /// Milliseconds of silence after which nothing of the guest's is on its way.
    private static let quiet: Int32 = 20

    /// Whether there is more to be read.
    mutating func comes(from source: Int32) -> Bool {
        guard pieces > 0 else { return false }
        pieces -= 1
        var entry = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, Self.quiet) > 0
    }
}
