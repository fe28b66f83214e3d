import CLinux
import Libc

/// A pipe: what is written to one end is read from the other.
///
/// Parent and child each take the end they use after a fork; the other end goes with this value.
package struct Pipe: ~Copyable {
    private let reading: FileDescriptor
    private let writing: FileDescriptor

    package init() throws(SystemError) {
        var read: Int32 = -1
        var write: Int32 = -1
        try syscall("pipe2") { cd_pipe(&read, &write) }
        reading = FileDescriptor(adopting: read)
        writing = FileDescriptor(adopting: write)
    }

    /// The ends by number, for a child to be given one of them.
    package var raw: (reading: Int32, writing: Int32) { (reading.rawValue, writing.rawValue) }

    /// Keeps the end to read from and closes the other.
    package consuming func readEnd() -> FileDescriptor { reading }

    /// Keeps the end to write to and closes the other.
    package consuming func writeEnd() -> FileDescriptor { writing }
}
