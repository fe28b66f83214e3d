import CLinux
import Libc
import Platform

/// Bytes that are pushed.
package protocol ByteSink: AnyObject {
    /// Takes the whole buffer.
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Writes what is still held back. Nothing may be written afterwards.
    func finish() throws
}

extension ByteSink {
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}

/// An open file that is written from its current offset on.
package final class FileSink: ByteSink {
    private let file: FileDescriptor
    private let stretch: Int64
    private var written: Int64 = 0
    private var begun: Int64 = 0

    /// With `flushing`, a new file is on its way to the disk while the rest of it is still being made: whoever waits for
    /// the disk at the end then waits less.
    package init(_ file: consuming FileDescriptor, flushing: Bool = false) {
        self.file = file
        stretch = flushing ? 1 << 23 : .max
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try file.writeAll(bytes)
        written += Int64(bytes.count)
        guard written - begun >= stretch else { return }
        cd_begin_writeback(file.rawValue, begun, written - begun)
        begun = written
    }

    package func finish() throws {}
}

/// Collects what is written.
package final class MemorySink: ByteSink {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package func write(_ bytes: UnsafeRawBufferPointer) throws { self.bytes += bytes }
    package func finish() throws {}
}
