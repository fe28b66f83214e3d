import Archive
import Libc

/// A ring of buffers between one thread that fills them and one that uses them.
final class ChunkRing: ChunkSource {
    private let buffers: [UnsafeMutableRawBufferPointer]
    private var lengths: [Int]
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    // Guarded by `mutex`.
    private var filled = 0
    private var isFinished = false
    private var failure: (any Error)?
    private var isAbandoned = false

    // Each used by one side only.
    private var writeIndex = 0
    private var readIndex = 0
    private var isLent = false

    init(count: Int, capacity: Int) {
        buffers = (0..<count).map { _ in .allocate(byteCount: capacity, alignment: 4096) }
        lengths = Array(repeating: 0, count: count)
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
        for buffer in buffers { buffer.deallocate() }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: - Filling

    /// Waits for an empty buffer; `nil` when nobody is going to read it.
    func reserve() -> UnsafeMutableRawBufferPointer? {
        locked {
            while filled == buffers.count, !isAbandoned { pthread_cond_wait(changed, mutex) }
            return isAbandoned ? nil : buffers[writeIndex]
        }
    }

    /// Hands over the first `length` bytes of the buffer that was reserved.
    func commit(_ length: Int) {
        locked {
            lengths[writeIndex] = length
            writeIndex = (writeIndex + 1) % buffers.count
            filled += 1
            pthread_cond_broadcast(changed)
        }
    }

    /// No more bytes will come, because they have ended or because of `failure`.
    func finish(_ failure: (any Error)? = nil) {
        locked {
            self.failure = failure
            isFinished = true
            pthread_cond_broadcast(changed)
        }
    }

    // MARK: - Using

    func next() throws -> UnsafeRawBufferPointer {
        try locked { () -> Result<UnsafeRawBufferPointer, any Error> in
            if isLent {
                readIndex = (readIndex + 1) % buffers.count
                filled -= 1
                isLent = false
                pthread_cond_broadcast(changed)
            }
            while filled == 0, !isFinished { pthread_cond_wait(changed, mutex) }
            guard filled > 0 else {
                return failure.map { .failure($0) } ?? .success(UnsafeRawBufferPointer(start: nil, count: 0))
            }
            isLent = true
            return .success(UnsafeRawBufferPointer(rebasing: buffers[readIndex][..<lengths[readIndex]]))
        }.get()
    }

    /// Nothing more will be used; the filling side stops.
    func abandon() {
        locked {
            isAbandoned = true
            pthread_cond_broadcast(changed)
        }
    }
}
