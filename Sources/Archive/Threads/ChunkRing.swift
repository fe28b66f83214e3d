import Libc

/// A ring of buffers between one thread that fills them and several that each use all of them.
///
/// A buffer is filled again when the last reader is done with it.
package final class ChunkRing {
    private let buffers: [UnsafeMutableRawBufferPointer]
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    // Guarded by `mutex`. Counts only grow; buffer `n % buffers.count` holds piece `n`.
    private var lengths: [Int]
    private var filled = 0
    private var used: [Int]
    private var isFinished = false
    private var failure: (any Error)?
    private var isAbandoned = false

    package init(count: Int, capacity: Int, readers: Int = 1) {
        buffers = (0..<count).map { _ in .allocate(byteCount: capacity, alignment: 4096) }
        lengths = Array(repeating: 0, count: count)
        used = Array(repeating: 0, count: readers)
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

    private var isFull: Bool { used.contains { filled - $0 == buffers.count } }

    // MARK: - Filling

    /// Waits for an empty buffer; `nil` when nobody is going to read it.
    package func reserve() -> UnsafeMutableRawBufferPointer? {
        locked {
            while isFull, !isAbandoned { pthread_cond_wait(changed, mutex) }
            return isAbandoned ? nil : buffers[filled % buffers.count]
        }
    }

    /// Hands over the first `length` bytes of the buffer that was reserved.
    package func commit(_ length: Int) {
        locked {
            lengths[filled % buffers.count] = length
            filled += 1
            pthread_cond_broadcast(changed)
        }
    }

    /// No more bytes will come, because they have ended or because of `failure`.
    package func finish(_ failure: (any Error)? = nil) {
        locked {
            self.failure = failure
            isFinished = true
            pthread_cond_broadcast(changed)
        }
    }

    /// Nothing more will be used: the filling side stops, and for the readers it is the end, or `failure`.
    package func abandon(_ failure: (any Error)? = nil) {
        locked {
            if self.failure == nil { self.failure = failure }
            isAbandoned = true
            pthread_cond_broadcast(changed)
        }
    }

    // MARK: - Using

    /// One who reads everything; each number from 0 up to `readers` is for one thread.
    package func reader(_ number: Int) -> Reader { Reader(ring: self, number: number) }

    /// What one thread reads of a ring.
    package final class Reader: ChunkSource {
        private let ring: ChunkRing
        private let number: Int
        private var isLent = false

        fileprivate init(ring: ChunkRing, number: Int) {
            self.ring = ring
            self.number = number
        }

        package func next() throws -> UnsafeRawBufferPointer {
            let piece = try ring.next(number, givesBack: isLent)
            isLent = !piece.isEmpty
            return piece
        }
    }

    private func next(_ reader: Int, givesBack: Bool) throws -> UnsafeRawBufferPointer {
        try locked { () -> Result<UnsafeRawBufferPointer, any Error> in
            if givesBack {
                used[reader] += 1
                pthread_cond_broadcast(changed)
            }
            while used[reader] == filled, !isFinished, !isAbandoned { pthread_cond_wait(changed, mutex) }
            let place = used[reader] % buffers.count
            if used[reader] < filled, !isAbandoned {
                return .success(UnsafeRawBufferPointer(rebasing: buffers[place][..<lengths[place]]))
            }
            return failure.map { .failure($0) } ?? .success(UnsafeRawBufferPointer(start: nil, count: 0))
        }.get()
    }
}
