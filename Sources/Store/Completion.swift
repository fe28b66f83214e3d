import CLinux
import Libc
import Platform

/// The moment at which the root of a container was just what its image makes of it, and nobody had been inside.
///
/// It is one of the file system's own clock: what was written before has an earlier time of change (`st_ctim`), what is
/// changed afterwards has that time or a later one.
package enum Completion {
    static let file: RawString = "completed"

    /// How long is waited for the clock to go on, in steps of a millisecond; it does so every 1 to 10.
    private static let patience = 25

    /// Notes the moment in the directory of a container.
    static func note(in directory: borrowing Directory) throws(SystemError) {
        let file = try directory.openFile(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        let raw = file.rawValue
        let first = try file.status().changed
        var moment = first
        for _ in 0..<patience where !isAfter(moment, first) {
            usleep(1000)
            try syscall("futimens") { futimens(raw, nil) }
            moment = try file.status().changed
        }
        let root = try directory.status("rootfs").inode
        try file.writeAll("\(moment.tv_sec) \(moment.tv_nsec) \(root)\n")
    }

    private static func isAfter(_ moment: timespec, _ other: timespec) -> Bool {
        (moment.tv_sec, moment.tv_nsec) > (other.tv_sec, other.tv_nsec)
    }

    /// The moment; `nil` when it is not known for this very root.
    package static func moment(of container: borrowing Container) -> Timestamp? {
        guard let bytes = try? container.directory.readFile(file, limit: 256),
            let root = try? container.directory.status("rootfs").inode
        else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard fields.count == 3, let seconds = Int64(fields[0]), let nanoseconds = Int32(fields[1]),
            UInt64(fields[2]) == root
        else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}
