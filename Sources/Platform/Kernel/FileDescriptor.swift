import Libc
import CLinux

/// An open file with exactly one owner; it is closed when its owner goes.
///
/// Every descriptor this program opens is close-on-exec.
package struct FileDescriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    package init(adopting rawValue: Int32) { self.rawValue = rawValue }

    deinit { _ = close_(rawValue) }

    /// Closes, and reports what `close(2)` says: on NFS and on a full disk that is where a write fails.
    package consuming func close() throws(SystemError) {
        let raw = rawValue
        discard self
        // Not repeated on EINTR: Linux has closed the descriptor already (close(2), NOTES).
        guard close_(raw) == 0 || errno == EINTR else { throw SystemError("close", code: errno) }
    }

    /// Gives up ownership: the caller closes it.
    package consuming func release() -> Int32 {
        let raw = rawValue
        discard self
        return raw
    }

    /// A second descriptor of the same open file.
    package func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try syscall("fcntl") { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
    }

    /// Opens a path of this host.
    ///
    /// For anything below a container's root file system use `Rootfs`.
    package static func open(
        _ path: HostPath, _ flags: Int32, mode: mode_t = 0
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            adopting: try syscall("open", Quoted(path).description) {
                open_(path.rawValue, flags | O_CLOEXEC, mode)
            })
    }

    /// Reads once; 0 means the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try syscall("read") { read_(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// Reads at an offset, and leaves that of the file alone (pread(2)).
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int
    {
        try syscall("pread") { pread(rawValue, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Writes the whole buffer.
    package func writeAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
        try Self.writeAll(buffer, to: rawValue)
    }

    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try Self.writeAll(buffer, to: rawValue) }
        }.get()
    }

    package func writeAll(_ text: String) throws(SystemError) { try writeAll(Array(text.utf8)) }

    /// Writes the whole buffer to a descriptor of somebody else's, also when they have made it non-blocking.
    package static func writeAll(_ buffer: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
        var rest = buffer[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            do throws(SystemError) {
                let count = try syscall("write") { write_(descriptor, part.baseAddress, part.count) }
                rest = rest.dropFirst(count)
            } catch  where error.code == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            }
        }
    }

    /// Everything up to the end of the file; `EFBIG` when that is more than `limit` bytes.
    package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Memory that is not touched costs nothing.
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 16384, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try syscall("read") { read_(rawValue, chunk.baseAddress, chunk.count) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw SystemError("read", code: EFBIG) }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    /// Flushes content and metadata to the disk (fsync(2)).
    package func synchronize() throws(SystemError) { try syscall("fsync") { fsync(rawValue) } }

    package func truncate(to size: Int64) throws(SystemError) {
        try syscall("ftruncate") { ftruncate(rawValue, off_t(size)) }
    }

    @discardableResult
    package func seek(to offset: Int64, from whence: Int32 = SEEK_SET) throws(SystemError) -> Int64 {
        Int64(try syscall("lseek") { lseek(rawValue, off_t(offset), whence) })
    }

    package func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        try syscall("fstat") { fstat(rawValue, &raw) }
        return FileStatus(raw)
    }

    /// The id of the mount that this file was opened on.
    package func mountID() throws(SystemError) -> UInt64 {
        var id: UInt64 = 0
        try syscall("statx") { cd_mount_id(rawValue, "", cd_at_empty_path, &id) }
        return id
    }

    /// Whether a terminal is behind it (isatty(3)).
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// A path that names this open file to calls which only take paths.
    package var procPath: String { "/proc/self/fd/\(rawValue)" }
}

// The methods above carry the names of the C functions; these reach past them.
private func close_(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func open_(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
private func read_(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
private func write_(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}
