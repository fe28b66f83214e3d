import Libc

/// Compresses one block after the other, each for itself; one thread uses it.
protocol BlockCompressor: AnyObject {
    /// A whole stream of the format with these bytes, which streams before and behind it may join.
    func compress(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [UInt8]
}

/// Cuts what is written into blocks, which threads compress beside each other.
///
/// Equal bytes give equal files, however many threads there are. The threads end with this value, or with `finish`.
final class ParallelSink: ByteSink {
    private let sink: any ByteSink
    private let board: Board
    private var threads: [Thread] = []
    private var filled = 0
    private var isEmpty = true

    private final class Thread {
        let worker: Worker
        init(_ body: @escaping () -> Void) throws { worker = try Worker(body) }
    }

    /// `blockSize` is in bytes; each of the compressors gets a thread of its own.
    init(_ sink: any ByteSink, blockSize: Int, _ compressors: [any BlockCompressor]) throws {
        self.sink = sink
        let board = Board(count: compressors.count + 2, capacity: blockSize)
        self.board = board
        for compressor in compressors { threads.append(try Thread { board.work(compressor) }) }
    }

    deinit { board.end() }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let room = board.current
            let part = rest.prefix(room.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: part))
            filled += part.count
            rest = rest.dropFirst(part.count)
            if filled == room.count { try submit() }
        }
    }

    func finish() throws {
        // Nothing at all is an empty stream, not none.
        if filled > 0 || isEmpty { try submit() }
        while let block = try board.takeOldest() { try write(block) }
        board.end()
        threads.removeAll()
        try sink.finish()
    }

    private func submit() throws {
        isEmpty = false
        board.submit(filled)
        filled = 0
        if board.isFull, let block = try board.takeOldest() { try write(block) }
    }

    private func write(_ block: [UInt8]) throws { try block.withUnsafeBytes { try sink.write($0) } }
}

/// The blocks that are being filled, compressed and written.
private final class Board: @unchecked Sendable {
    private struct Slot {
        let buffer: UnsafeMutableRawBufferPointer
        var length = 0
        var result: Result<[UInt8], CodecError>?
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    // Guarded by `mutex`. Counts only grow; slot `n % slots.count` holds block `n`.
    private var slots: [Slot]
    private var submitted = 0
    private var begun = 0
    private var taken = 0
    private var hasEnded = false

    init(count: Int, capacity: Int) {
        slots = (0..<count).map { _ in Slot(buffer: .allocate(byteCount: capacity, alignment: 4096)) }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
        for slot in slots { slot.buffer.deallocate() }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: - The filling side

    /// The buffer that is being filled.
    var current: UnsafeMutableRawBufferPointer { locked { slots[submitted % slots.count].buffer } }

    /// Whether the next buffer is still in use.
    var isFull: Bool { locked { submitted - taken == slots.count } }

    func submit(_ length: Int) {
        locked {
            slots[submitted % slots.count].length = length
            submitted += 1
            pthread_cond_broadcast(changed)
        }
    }

    /// Waits for the oldest block; `nil` when all have been taken.
    func takeOldest() throws(CodecError) -> [UInt8]? {
        let result: Result<[UInt8], CodecError>? = locked {
            guard taken < submitted else { return nil }
            let place = taken % slots.count
            while slots[place].result == nil { pthread_cond_wait(changed, mutex) }
            taken += 1
            return slots[place].result.take()
        }
        return try result?.get()
    }

    func end() {
        locked {
            hasEnded = true
            pthread_cond_broadcast(changed)
        }
    }

    // MARK: - The compressing side

    func work(_ compressor: any BlockCompressor) {
        while let (place, bytes) = next() {
            let result = Result { () throws(CodecError) in try compressor.compress(bytes) }
            locked {
                slots[place].result = result
                pthread_cond_broadcast(changed)
            }
        }
    }

    private func next() -> (Int, UnsafeRawBufferPointer)? {
        locked {
            while begun == submitted, !hasEnded { pthread_cond_wait(changed, mutex) }
            guard !hasEnded else { return nil }
            let place = begun % slots.count
            begun += 1
            let slot = slots[place]
            return (place, UnsafeRawBufferPointer(rebasing: slot.buffer[..<slot.length]))
        }
    }
}
