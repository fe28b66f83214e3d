import Archive

/// An entry whose data is in memory.
final class MemoryEntry: EntrySource {
    private let count: Int
    private let buffer: UnsafeMutableRawBufferPointer
    private var isRead: Bool

    init(_ data: [UInt8]) {
        count = data.count
        isRead = data.isEmpty
        buffer = .allocate(byteCount: max(1, data.count), alignment: 1)
        buffer.copyBytes(from: data)
    }

    deinit { buffer.deallocate() }

    func next() -> TarEntry? { nil }

    func nextStretch() -> TarStretch? {
        guard !isRead else { return nil }
        isRead = true
        return TarStretch(offset: 0, bytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}
