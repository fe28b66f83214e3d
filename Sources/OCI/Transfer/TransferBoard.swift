import CLinux
import Libc

/// What the pulling thread and the downloading thread tell each other.
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
        /// The layer that is being applied, and its open file: how far it is read is how far it is applied.
        var applying: Int32?
        var isClosing = false
    }

    private var state = State()
    private let layers: [Descriptor]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(layers: [Descriptor]) {
        self.layers = layers
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(change, nil)
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

    // MARK: - The downloading thread

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

    var isClosing: Bool { locked { $0.isClosing } }

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
                } else if index == state.applied, let file = state.applying {
                    item.phase = .applying
                    item.done = max(0, Int64(lseek(file, 0, SEEK_CUR)))
                }
                return item
            }
            return PullProgress(
                layers: result, downloaded: downloaded, total: layers.reduce(0) { $0 + $1.size })
        }
    }

    // MARK: - The pulling thread

    /// Waits until the blob is in the store; throws why it will not be, or why another one will not.
    func await(_ digest: Digest) throws {
        try locked { state in
            while true {
                if let failure = state.blobs[digest]?.failure { throw failure }
                if state.blobs[digest]?.phase == .ready { return }
                // A later layer that cannot be had makes all work on this one useless.
                for layer in layers {
                    if let failure = state.blobs[layer.digest]?.failure { throw failure }
                }
                pthread_cond_wait(change, mutex)
            }
        }
    }

    /// Says that the next layer is being applied by reading `file`, or, with `nil`, that it has been.
    func setApplying(_ file: Int32?) {
        locked {
            if file == nil { $0.applied += 1 }
            $0.applying = file
        }
    }

    /// Forgets the file that was being applied, before it is closed.
    func stopApplying() { locked { $0.applying = nil } }

    func close() { locked { $0.isClosing = true } }
}
