import CLinux
import Libc
import Platform
import Store

/// Reads a log from its beginning, across new files.
package struct OutputReader: ~Copyable {
    private let directory: Directory
    private var part: Part?
    private let watcher: FileDescriptor
    private let name: RawString

    /// Starts at the older file, if there is one.
    package init(
        in directory: consuming Directory, name: RawString = OutputLog.name
    ) throws(SystemError) {
        watcher = FileDescriptor(adopting: try syscall("inotify_init1") { cd_watcher() })
        _ = cd_watch(watcher.rawValue, directory.raw)
        part = try? Part(OutputLog.older(name), in: directory)
        self.name = name
        self.directory = directory
    }

    /// One of the log's files, open.
    private final class Part {
        let file: FileDescriptor

        init(_ name: RawString, in directory: borrowing Directory) throws(SystemError) {
            file = try directory.openFile(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        }
    }

    /// The next bytes; empty when there are none yet.
    package mutating func read() throws(SystemError) -> ArraySlice<UInt8> {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            // Looked at before reading: what comes into a file after it has been replaced is not missed.
            let successor = try successor()
            if let count = try fill(&buffer), count > 0 { return buffer[..<count] }
            guard let successor else { return [] }
            part = successor
        }
    }

    private func fill(_ buffer: inout [UInt8]) throws(SystemError) -> Int? {
        guard let descriptor = part?.file.rawValue else { return nil }
        return try syscall("read", name.description) {
            Libc.read(descriptor, &buffer, buffer.count)
        }
    }

    /// The current file when it is not the one that is open.
    private func successor() throws(SystemError) -> Part? {
        guard let there = try directory.statusIfPresent(name) else { return nil }
        if let inode = try part?.file.status().inode, inode == there.inode { return nil }
        return try Part(name, in: directory)
    }

    /// Blocks until the log changes or another descriptor becomes readable; -1 is none.
    package func wait(or others: [Int32]) {
        var entries = ([watcher.rawValue] + others).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        _ = poll(&entries, nfds_t(entries.count), -1)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while Libc.read(watcher.rawValue, &buffer, buffer.count) > 0 {}
    }

    /// The last lines of `bytes`.
    package static func lastLines(_ count: Int, of bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard count > 0 else { return [] }
        var left = count
        let newline = UInt8(ascii: "\n")
        for index in bytes.indices.reversed() where bytes[index] == newline && index != bytes.count - 1 {
            left -= 1
            if left <= 0 { return bytes[(index + 1)...] }
        }
        return bytes[...]
    }
}
