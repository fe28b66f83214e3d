import CLinux
import Libc
import Platform

/// The time in which the root of a container was made of its image, and nobody was inside.
///
/// It is one of the file system's own clock: what the installation wrote has a time of change (`st_ctim`) in it, and what
/// is changed afterwards has its end or a later one; or one before its beginning, where the clock was set back.
package enum Completion {
    static let file: RawString = "completed"

    /// How long is waited for the clock to go on, in steps of a millisecond; it does so every 1 to 10.
    private static let patience = 25

    /// Notes the time in the directory of a container; nothing of its root was there before `began`.
    static func note(in directory: borrowing Directory, from began: timespec) throws(SystemError) {
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
        try file.writeAll(
            "\(moment.tv_sec) \(moment.tv_nsec) \(root) \(began.tv_sec) \(began.tv_nsec)\n")
    }

    private static func isAfter(_ moment: timespec, _ other: timespec) -> Bool {
        (moment.tv_sec, moment.tv_nsec) > (other.tv_sec, other.tv_nsec)
    }

    /// The time; `nil` when it is not known for this very root, or the clock was set back in it.
    package static func time(of container: borrowing Container) -> Range<Timestamp>? {
        guard let bytes = try? container.directory.readFile(file, limit: 256),
            let root = try? container.directory.status("rootfs").inode
        else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard fields.count == 5, UInt64(fields[2]) == root, let end = timestamp(fields[0], fields[1]),
            let start = timestamp(fields[3], fields[4]), start < end
        else { return nil }
        return start..<end
    }

    private static func timestamp(_ seconds: Substring, _ nanoseconds: Substring) -> Timestamp? {
        guard let seconds = Int64(seconds), let nanoseconds = Int32(nanoseconds) else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}
