import CLinux
import Libc

/// Two connected sockets (socketpair(2)), over which descriptors can be passed too.
package struct SocketPair: ~Copyable {
    package let first: FileDescriptor
    package let second: FileDescriptor

    package init() throws(SystemError) {
        var pair: [Int32] = [-1, -1]
        try syscall("socketpair") { cd_socketpair(&pair) }
        first = FileDescriptor(adopting: pair[0])
        second = FileDescriptor(adopting: pair[1])
    }

    /// Keeps the first and closes the second, so that a peer's end is noticed.
    package consuming func firstEnd() -> FileDescriptor { first }
}
