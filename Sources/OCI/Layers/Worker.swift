import CTransport
import Libc
import Platform

/// A second thread, which is joined before its owner returns.
struct Worker: ~Copyable {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private let handle: OpaquePointer

    /// Runs `body` beside the caller; what both touch is theirs to guard.
    init(_ body: @escaping () -> Void) throws(SystemError) {
        let job = Unmanaged.passRetained(Job(body))
        let handle = cd_thread_start(
            { context in
                guard let context else { return }
                Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body()
            }, job.toOpaque())
        guard let handle else {
            let code = errno
            job.release()
            throw SystemError("pthread_create", code: code)
        }
        self.handle = handle
    }

    /// Waits for the end of `body`.
    consuming func join() {}

    deinit { cd_thread_join(handle) }
}
