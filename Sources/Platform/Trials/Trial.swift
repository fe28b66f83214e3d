import CLinux
import Libc

/// What came of trying something that the kernel may not know, or may not let us do.
package enum Trial: Hashable, Sendable {
    case works
    /// The value of `errno`.
    case refused(Int32)
    /// A filter or the kernel ended the child that tried.
    case killed(signal: Int32)
    case notTried

    /// Runs `attempt` in a child that is thrown away, so that nothing of it remains; it returns 0 or an `errno`.
    ///
    /// Only for a process with a single thread.
    package init(_ attempt: () -> Int32) {
        do {
            let child = try Fork.child { ExitStatus(code: attempt()) }
            self.init(status: try Reaping.wait(for: child))
        } catch { self = .refused(error.code) }
    }

    /// No `errno` of Linux is higher than 133, and only signals below 6 would look like one.
    private init(status: ExitStatus) {
        self =
            status.code == 0
            ? .works : status.code > 133 ? .killed(signal: status.code - 128) : .refused(status.code)
    }

    package var isSuccess: Bool { self == .works }

    /// Whether the answer was that the caller lacks a right, which says nothing about the feature.
    package var lacksRights: Bool { self == .refused(EPERM) || self == .refused(EACCES) || self == .notTried }

    /// The reason in words; empty when it works.
    package var reason: String {
        switch self {
        case .works: ""
        case .refused(let code): String(cString: strerror(code))
        case .killed(let signal): "a filter ended it (\(Signal(signal)))"
        case .notTried: "not tried"
        }
    }
}
