import Archive
import Libc

/// Compares the data of two files that come piece by piece.
enum DataComparison {
    /// Whether two entries of the same size have the same data.
    ///
    /// What one has as a hole the other may have as zeros: where the holes of a file are, the file system may say
    /// otherwise the next time (lseek(2), SEEK_DATA).
    static func isSame(_ left: any EntrySource, _ right: any EntrySource) throws -> Bool {
        var (first, second) = (DataCursor(left), DataCursor(right))
        while true {
            let (hasFirst, hasSecond) = (try first.fill(), try second.fill())
            guard hasFirst || hasSecond else { return true }
            if !hasSecond || hasFirst && first.offset < second.offset {
                guard first.consumeZeros(before: hasSecond ? second.offset : .max) else { return false }
            } else if !hasFirst || second.offset < first.offset {
                guard second.consumeZeros(before: hasFirst ? first.offset : .max) else { return false }
            } else {
                let count = min(first.bytes.count, second.bytes.count)
                guard isSame(first.bytes, second.bytes, count) else { return false }
                first.consume(count)
                second.consume(count)
            }
        }
    }

    private static func isSame(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ count: Int
    ) -> Bool {
        guard let first = left.baseAddress, let second = right.baseAddress else { return count == 0 }
        return memcmp(first, second, count) == 0
    }
}

/// The data of an entry that is compared with another's.
private struct DataCursor {
    private let source: any EntrySource
    private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var offset: Int64 = 0

    init(_ source: any EntrySource) { self.source = source }

    /// False at the end.
    mutating func fill() throws -> Bool {
        while bytes.isEmpty {
            guard let stretch = try source.nextStretch() else { return false }
            (bytes, offset) = (stretch.bytes, stretch.offset)
        }
        return true
    }

    mutating func consume(_ count: Int) {
        bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
        offset += Int64(count)
    }

    /// Passes over what lies before `end`; false when something other than zeros does.
    mutating func consumeZeros(before end: Int64) -> Bool {
        let count = Int(min(Int64(bytes.count), end - offset))
        guard let start = bytes.baseAddress, count > 0 else { return false }
        guard bytes[0] == 0, memcmp(start, start + 1, count - 1) == 0 else { return false }
        consume(count)
        return true
    }
}
