import CLinux
import CTransport
import Libc

/// What is tried again, how often and when.
package struct RetryPolicy: Sendable {
    /// Tries after the first one, 0 to 20.
    package var retries: Int
    /// Seconds before the second try; doubled with each further one, up to `longestPause`.
    package var firstPause = 1.0
    package var longestPause = 30.0
    /// The longest wait in seconds that a server may ask for.
    package var patience = 60

    package init(retries: Int) { self.retries = min(max(retries, 0), 20) }

    /// Reads `CD_DOWNLOAD_MAX_RETRIES`; 3 when it is not a number.
    package init(environment: [String: String]) {
        self.init(retries: environment["CD_DOWNLOAD_MAX_RETRIES"].flatMap { Int($0) } ?? 3)
    }

    /// Seconds to wait before try `number` (1 is the second one), with some chance in it so that many clients do
    /// not come back together.
    func pause(before number: Int) -> Double {
        let full = min(longestPause, firstPause * Double(1 << min(number - 1, 16)))
        return full * Double.random(in: 0.5...1)
    }

    func isWorthAnotherTry(status: Int) -> Bool {
        status == 408 || status == 429 || (500..<600).contains(status)
    }

    func isWorthAnotherTry(_ failure: HTTPFailure) -> Bool {
        switch failure.kind {
        case cd_failure_resolve, cd_failure_connect, cd_failure_timeout, cd_failure_interrupted: true
        default: false
        }
    }

    /// Seconds that the server asks to wait (RFC 9110, Retry-After: seconds or a date).
    static func retryAfter(_ head: HTTPHead) -> Int? {
        guard let text = head["retry-after"] else { return nil }
        // Ten years are as good as for ever and cannot overflow.
        let limit = 315_360_000
        if let seconds = Int(text) { return min(max(0, seconds), limit) }
        let date = cd_http_date(text)
        return date < 0 ? nil : min(max(0, Int(date) - time(nil)), limit)
    }

    static func sleep(_ seconds: Double) {
        var rest = timespec()
        rest.tv_sec = Int(seconds)
        rest.tv_nsec = Int((seconds - seconds.rounded(.down)) * 1_000_000_000)
        withUnsafeMutablePointer(to: &rest) { while nanosleep($0, $0) == -1, errno == EINTR {} }
    }
}
