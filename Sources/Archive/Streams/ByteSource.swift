import Libc
import Platform

/// Bytes that are pulled.
package protocol ByteSource: AnyObject {
    /// Reads at least one byte into a buffer that is not empty; 0 means the end.
    ///
    /// A stream that stops before its end throws: the end and a failure are different answers.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int

    /// Passes over at most `count` bytes that nobody wants, and returns over how many.
    ///
    /// 0 says that they have to be read; at the end of the source it says nothing else.
    func skip(_ count: Int64) throws -> Int64

    /// A part of this source, to be read at any time and beside the rest; `offset` counts from where it was first read.
    ///
    /// `nil` for a source that can only be read from front to back.
    func section(at offset: Int64, size: Int64) throws -> (any ByteSource)?

    /// Nothing more is wanted: a `read` that waits in another thread comes back, with an error.
    func interrupt()
}

extension ByteSource {
    package func interrupt() {}

    package func skip(_ count: Int64) throws -> Int64 { 0 }

    package func section(at offset: Int64, size: Int64) throws -> (any ByteSource)? { nil }

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
    /// Where it began; `nil` for what is no regular file.
    private let start: Int64?
    /// What ends the waiting for a file that may keep us waiting.
    private let doorbell: Doorbell?

    package init(_ file: consuming FileDescriptor) {
        let isRegular = (try? file.status().kind) == .regular
        let offset = Int64(lseek(file.rawValue, 0, SEEK_CUR))
        start = isRegular && offset >= 0 ? offset : nil
        // Without one it is waited for as long as it takes.
        doorbell = isRegular ? nil : try? Doorbell()
        self.file = file
        // Only advice: it fails on pipes.
        _ = posix_fadvise(self.file.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    package func skip(_ count: Int64) throws -> Int64 {
        guard start != nil else { return 0 }
        let offset = Int64(lseek(file.rawValue, 0, SEEK_CUR))
        // Never beyond the end, so that a file that was cut is seen to be.
        let passed = min(count, try file.status().size - offset)
        guard passed > 0 else { return 0 }
        try file.seek(to: offset + passed)
        return passed
    }

    package func section(at offset: Int64, size: Int64) throws -> (any ByteSource)? {
        guard let start else { return nil }
        return FileSection(try file.duplicate(), at: start + offset, size: size)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try doorbell?.wait(for: file)
        return try file.read(into: buffer)
    }

    package func interrupt() { doorbell?.ring() }
}

/// A part of a file, whose offset it leaves alone.
package final class FileSection: ByteSource {
    private let file: FileDescriptor
    private var position: Int64
    private let end: Int64

    /// `offset` and `size` are in bytes.
    package init(_ file: consuming FileDescriptor, at offset: Int64, size: Int64) {
        self.file = file
        position = offset
        end = offset.addingReportingOverflow(size).partialValue
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), max(0, end - position)))
        let count = try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: position)
        position += Int64(count)
        return count
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

    package func skip(_ count: Int64) throws -> Int64 {
        guard position < head.count else { return try source.skip(count) }
        let passed = min(count, Int64(head.count - position))
        position += Int(passed)
        return passed
    }

    package func section(at offset: Int64, size: Int64) throws -> (any ByteSource)? {
        try source.section(at: offset, size: size)
    }
}
