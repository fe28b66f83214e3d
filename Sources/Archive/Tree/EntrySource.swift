import Libc
import Platform

/// Files one after the other, each with its data: an archive or a tree.
package protocol EntrySource: AnyObject {
    /// The next entry, or `nil` at the end; what was not read of the last one is left out.
    func next() throws -> TarEntry?

    /// The next piece of the current entry's data, or `nil` when there is no more.
    ///
    /// The bytes stay valid until the next call of any method. The holes of a sparse file are left out.
    func nextStretch() throws -> TarStretch?

    /// Puts the data of the current entry into a new, empty file, which may still lack a hole at its end.
    func copyData(to file: borrowing FileDescriptor) throws
}

extension EntrySource {
    package func copyData(to file: borrowing FileDescriptor) throws {
        var position: Int64 = 0
        while let stretch = try nextStretch() {
            if stretch.offset != position { try file.seek(to: stretch.offset) }
            try file.writeAll(stretch.bytes)
            position = stretch.offset + Int64(stretch.bytes.count)
        }
    }
}

extension TarReader: EntrySource {}

extension TarWriter {
    /// Writes the current entry of `source`, described as `entry`, with its data.
    package func append(_ entry: TarEntry, from source: any EntrySource) throws {
        try append(entry)
        guard entry.kind == .regular else { return }
        while let stretch = try source.nextStretch() { try write(stretch.bytes) }
    }
}
