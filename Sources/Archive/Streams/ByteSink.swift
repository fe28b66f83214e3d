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

    package init(_ file: consuming FileDescriptor) { self.file = file }

    package func write(_ bytes: UnsafeRawBufferPointer) throws { try file.writeAll(bytes) }
    package func finish() throws {}
}

/// Collects what is written.
package final class MemorySink: ByteSink {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package func write(_ bytes: UnsafeRawBufferPointer) throws { self.bytes += bytes }
    package func finish() throws {}
}
