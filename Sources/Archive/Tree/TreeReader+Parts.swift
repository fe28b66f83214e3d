import Libc
import Platform

/// Reading only parts of a file that is complete.
extension TreeReader {
    /// Begins to read these parts of the current file; without any, all of it with its holes.
    package func select(_ parts: [SparseExtent]?) { file?.begin(status, parts) }

    /// Begins to read what the current file has beside these parts, which are in order.
    package func selectData(outside parts: [SparseExtent]) throws {
        guard let file else { return }
        let size = status.size
        let data: [SparseExtent]
        do throws(SystemError) {
            data = try file.findExtents(size) ?? [SparseExtent(offset: 0, length: size)]
        } catch {
            throw TreeError.refused(member: currentPath, error)
        }
        file.begin(status, data.flatMap { Self.subtract(parts, from: $0) })
    }

    private static func subtract(_ parts: [SparseExtent], from extent: SparseExtent) -> [SparseExtent] {
        var rest: [SparseExtent] = []
        var start = extent.offset
        let end = extent.offset + extent.length
        for part in parts where part.offset + part.length > start && part.offset < end {
            if part.offset > start { rest.append(SparseExtent(offset: start, length: part.offset - start)) }
            start = part.offset + part.length
        }
        if start < end { rest.append(SparseExtent(offset: start, length: end - start)) }
        return rest
    }
}
