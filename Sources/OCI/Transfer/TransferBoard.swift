import CLinux
import Libc
import Platform

/// What the threads of a transfer tell each other: one brings layers, one hands them on, one shows how far they are.
final class TransferBoard: @unchecked Sendable {
    struct Blob {
        let size: Int64
        var done: Int64 = 0
        var phase = PullProgress.Phase.waiting
        var failure: (any Error)?
    }

    private struct State {
        var blobs: [Digest: Blob] = [:]
        var applied = 0
        /// Bytes that have been read of the layer that is being applied, if one is.
        var applying: Int64?
        var isClosing = false
        /// How many of `layers` somebody has taken on.
        var taken = 0
        /// The thread that brings the layers.
        var supplier: Int32 = -1
        /// Whether somebody waits for it.
        var isUrged = false
    }

    private var state = State()
    private let layers: [Descriptor]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(layers: [Descriptor]) {
        self.layers = layers
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(change, &attributes)
        pthread_condattr_destroy(&attributes)
        for layer in layers { state.blobs[layer.digest] = Blob(size: layer.size) }
    }

    deinit {
        pthread_cond_destroy(change)
        pthread_mutex_destroy(mutex)
        change.deallocate()
        mutex.deallocate()
    }

    private func locked<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    // MARK: - Who brings them

    func set(_ digest: Digest, _ phase: PullProgress.Phase, done: Int64) {
        locked {
            $0.blobs[digest]?.phase = phase
            $0.blobs[digest]?.done = done
            if phase == .ready { pthread_cond_broadcast(change) }
        }
    }

    func fail(_ digest: Digest, _ error: any Error) {
        locked {
            $0.blobs[digest]?.failure = error
            pthread_cond_broadcast(change)
        }
    }

    /// Says that the calling thread brings the layers.
    ///
    /// Unpacking is what everything waits for, so it gets what is left of the processors, unless somebody waits for it.
    func enterSupplier() {
        locked {
            $0.supplier = cd_thread_number()
            if !$0.isUrged { cd_thread_set_modest($0.supplier, true) }
        }
    }

    func leaveSupplier() { locked { $0.supplier = -1 } }

    var isClosing: Bool { locked { $0.isClosing } }

    /// The next one that nobody has taken on; each is handed out once.
    func takeNext() -> Descriptor? {
        locked { state in
            guard !state.isClosing, state.taken < layers.count else { return nil }
            state.taken += 1
            return layers[state.taken - 1]
        }
    }

    // MARK: - Who shows it

    var progress: PullProgress {
        locked { state in
            var downloaded: Int64 = 0
            let result = layers.enumerated().map { index, layer in
                let blob = state.blobs[layer.digest] ?? Blob(size: layer.size)
                downloaded += blob.done
                var item = PullProgress.Layer(
                    digest: layer.digest, size: layer.size, done: blob.done, phase: blob.phase)
                if index < state.applied {
                    item.phase = .done
                } else if index == state.applied, let done = state.applying {
                    item.phase = .applying
                    item.done = done
                }
                return item
            }
            return PullProgress(
                layers: result, downloaded: downloaded, total: layers.reduce(0) { $0 + $1.size })
        }
    }

    // MARK: - Who hands them on

    func isReady(_ digest: Digest) -> Bool { locked { $0.blobs[digest]?.phase == .ready } }

    /// Waits until the blob is in the store; throws why it will not be, or why another one will not.
    func await(_ digest: Digest) throws {
        try locked { state in
            var hasUrged = false
            while true {
                if let failure = state.blobs[digest]?.failure { throw failure }
                if state.blobs[digest]?.phase == .ready {
                    if hasUrged { cd_thread_set_modest(state.supplier, true) }
                    state.isUrged = false
                    return
                }
                // A later layer that cannot be had makes all work on this one useless.
                for layer in layers {
                    if let failure = state.blobs[layer.digest]?.failure { throw failure }
                }
                if !hasUrged { cd_thread_set_modest(state.supplier, false) }
                hasUrged = true
                state.isUrged = true
                pthread_cond_wait(change, mutex)
            }
        }
    }

    /// Says how many bytes of the next layer have been read to be applied, or, with `nil`, that it has been.
    func setApplying(_ done: Int64?) {
        locked {
            if done == nil { $0.applied += 1 }
            $0.applying = done
        }
    }

    func close() {
        locked {
            $0.isClosing = true
            pthread_cond_broadcast(change)
        }
    }

    /// Waits for the close, but not longer than `seconds`; whether it has come.
    func awaitClose(seconds: Double) -> Bool {
        let end = MonotonicClock.nanoseconds + Int64(seconds * 1e9)
        var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        return locked { state in
            while !state.isClosing, pthread_cond_timedwait(change, mutex, &time) == 0 {}
            return state.isClosing
        }
    }
}
