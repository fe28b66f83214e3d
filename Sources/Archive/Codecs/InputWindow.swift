/// The compressed bytes that a decoder has read and not yet used.
struct InputWindow: ~Copyable {
    private let source: any ByteSource
    private let storage: UnsafeMutableRawBufferPointer
    private var start = headroom
    private var end = headroom

    /// Room in front for bytes that are given back.
    private static let headroom = 8
    private static let capacity = 1 << 18

    init(_ source: any ByteSource) {
        self.source = source
        storage = .allocate(byteCount: Self.headroom + Self.capacity, alignment: 64)
    }

    deinit { storage.deallocate() }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[start..<end]) }

    /// Makes sure that there are bytes; false at the end of the source.
    mutating func fill() throws -> Bool {
        guard start == end else { return true }
        start = Self.headroom
        end = start
        end += try source.read(into: UnsafeMutableRawBufferPointer(rebasing: storage[start...]))
        return start < end
    }

    mutating func consume(_ count: Int) { start += count }

    /// Takes the next byte; `nil` at the end of the source.
    mutating func nextByte() throws -> UInt8? {
        guard try fill() else { return nil }
        defer { start += 1 }
        return storage[start]
    }

    /// Puts back at most 8 bytes, which were the last to be consumed.
    mutating func giveBack(_ bytes: [UInt8]) {
        start -= bytes.count
        for (index, byte) in bytes.enumerated() { storage[start + index] = byte }
    }
}
