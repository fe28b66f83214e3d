import CLinux
import Libc
import Platform

/// A second thread, which is joined before its owner returns.
package struct Worker: ~Copyable {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private let handle: OpaquePointer

    /// Runs `body` beside the caller; what both touch is theirs to guard.
    package init(_ body: @escaping () -> Void) throws(SystemError) {
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

    /// Runs `body` in a thread while `work` is done, and waits for both.
    ///
    /// `work` has to see to it that `body` comes to its end.
    package static func beside<Value>(_ body: @escaping () -> Void, _ work: () throws -> Value) throws
        -> Value
    {
        let worker = try Worker(body)
        let outcome = Result { try work() }
        worker.join()
        return try outcome.get()
    }

    /// Runs each of `bodies` in a thread while `work` is done, and waits for all.
    package static func beside<Value>(_ bodies: [() -> Void], _ work: () throws -> Value) throws -> Value {
        guard let first = bodies.first else { return try work() }
        return try beside(first) { try beside(Array(bodies.dropFirst()), work) }
    }

    /// Waits for the end of `body`.
    package consuming func join() {}

    deinit { cd_thread_join(handle) }
}
