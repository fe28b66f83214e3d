import Libc
import Platform

/// Looking closer at some entries only, of a reader that looks at names and metadata.
extension TreeReader {
    /// The current entry with all that the options left out; the data of a regular file can then be read.
    ///
    /// `nil` when something else has its name by now. Only for readers that do not group links.
    package func complete() throws -> TarEntry? {
        let (kind, identity, path) = (status.kind, FileIdentity(status), currentPath)
        let chosen = options
        options.readsAttributes = true
        options.readsContent = true
        defer { options = chosen }
        do throws(SystemError) {
            if kind == .directory, let handle = pending?.handle {
                return entry(path.bytes, try attributes(of: handle.directory.descriptor))
            }
            guard let parent = levels.last?.handle else { return nil }
            let name = path.lastComponent
            let found =
                kind == .regular
                ? try readFile(name, in: parent, path.bytes) : try readOther(name, in: parent, path.bytes)
            return FileIdentity(status) == identity ? found : nil
        } catch {
            do throws(SystemError) { return try leaveOut(path.bytes, error) } catch {
                throw TreeError.refused(member: path, error)
            }
        }
    }

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
