/// Where the data of a sparse file belongs.
struct SparseMap {
    /// Pieces that one file may have.
    static let limit = 1 << 18

    let extents: [SparseExtent]
    let realSize: Int64

    /// `nil` unless the pieces are in order, apart, inside the file and no more than what is stored.
    init?(_ extents: [SparseExtent], realSize: Int64, storedSize: Int64) {
        guard realSize >= 0, extents.count <= Self.limit else { return nil }
        var end: Int64 = 0
        var total: Int64 = 0
        for extent in extents {
            guard extent.length >= 0, extent.offset >= end else { return nil }
            let (next, overflow) = extent.offset.addingReportingOverflow(extent.length)
            guard !overflow, next <= realSize else { return nil }
            end = next
            // Cannot overflow: the pieces are apart and end before `realSize`.
            total += extent.length
        }
        guard total <= storedSize else { return nil }
        self.extents = extents.filter { $0.length > 0 }
        self.realSize = realSize
    }

    /// Offsets and lengths by turns; `nil` when one is missing.
    static func pairs(_ numbers: [Int64]) -> [SparseExtent]? {
        guard numbers.count % 2 == 0 else { return nil }
        return stride(from: 0, to: numbers.count, by: 2).map {
            SparseExtent(offset: numbers[$0], length: numbers[$0 + 1])
        }
    }

    /// The comma-separated map of GNU's format 0.1.
    static func list(_ text: [UInt8]) -> [SparseExtent]? {
        guard !text.isEmpty else { return [] }
        var numbers: [Int64] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let number = PaxRecords.decimal(part), numbers.count < 2 * limit else { return nil }
            numbers.append(number)
        }
        return pairs(numbers)
    }
}
