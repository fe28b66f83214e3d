import CLinux

/// The rest of a process that has nothing to do but wait: it gives back the memory that only its start has needed.
///
/// That takes some milliseconds, and what is needed after all comes back page by page, so it is done once, and not
/// before it has been quiet for a while.
struct Rest {
    private var isOver = false
    /// Milliseconds.
    private static let quiet: Int32 = 500

    /// For poll(2): how long to wait at most, in milliseconds; -1 is for ever.
    func patience(atMost limit: Int32 = -1) -> Int32 {
        if isOver { return limit }
        return limit < 0 ? Self.quiet : min(limit, Self.quiet)
    }

    /// Called when nothing has happened for that long.
    mutating func begin() {
        guard !isOver else { return }
        isOver = true
        cd_shed_memory()
    }
}
