import Libc
import Platform

/// Bytes that are pulled.
package protocol ByteSource: AnyObject {
    /// Reads at least one byte into a buffer that is not empty; 0 means the end.
    ///
    /// A stream that stops before its end throws: the end and a failure are different answers.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
    /// Reads until the buffer is full or the source ends.
    package func readFully(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Everything up to the end; throws `CodecError.tooLong` beyond `limit` bytes.
    package func readAll(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try read(into: $0) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw CodecError.tooLong(limit: limit) }
            bytes += chunk[..<count]
        }
    }
}

/// The bytes of an open file from its current offset on.
package final class FileSource: ByteSource {
    private let file: FileDescriptor

    package init(_ file: consuming FileDescriptor) {
        self.file = file
        // Only advice: it fails on pipes.
        _ = posix_fadvise(self.file.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try file.read(into: buffer)
    }
}

/// Bytes in memory.
package final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count - position)
        bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}

/// A source whose first bytes can be looked at before they are read.
package final class PeekingSource: ByteSource {
    private let source: any ByteSource
    /// The first bytes: as many as were asked for, or all there are.
    package let head: [UInt8]
    private var position = 0

    package init(_ source: any ByteSource, count: Int) throws {
        self.source = source
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBytes { try source.readFully(into: $0) }
        head = Array(bytes[..<filled])
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard position < head.count else { return try source.read(into: buffer) }
        let count = min(buffer.count, head.count - position)
        head.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}
