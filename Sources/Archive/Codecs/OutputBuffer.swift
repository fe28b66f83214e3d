/// Where a compressor puts its bytes before they are written.
struct OutputBuffer: ~Copyable {
    static let capacity = 1 << 17

    let start: UnsafeMutableRawPointer = .allocate(byteCount: capacity, alignment: 64)

    deinit { start.deallocate() }

    func prefix(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
