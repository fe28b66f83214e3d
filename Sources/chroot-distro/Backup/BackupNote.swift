import CLinux
import Libc
import Platform

/// What a backup says beside its files, in comments that other programs pass over (pax).
///
/// It makes an increment possible that does not read what has not been changed.
enum BackupNote: Equatable {
    /// The inode of a directory, by which it is told from another that has its name by now.
    case inode(UInt64)
    /// The end of the files: what the backup does not hold was changed at this time or later (`st_ctim`).
    case end(Timestamp)

    private static let inodeWord = "chroot-distro inode "
    private static let endWord = "chroot-distro complete "

    init?(_ comment: RawString?) {
        guard let text = comment?.text else { return nil }
        if text.hasPrefix(Self.inodeWord), let number = UInt64(text.dropFirst(Self.inodeWord.count)) {
            self = .inode(number)
            return
        }
        guard text.hasPrefix(Self.endWord) else { return nil }
        let fields = text.dropFirst(Self.endWord.count).split(separator: " ")
        guard fields.count == 2, let seconds = Int64(fields[0]), let nanoseconds = Int32(fields[1]),
            (0..<1_000_000_000).contains(nanoseconds)
        else { return nil }
        self = .end(Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    var comment: RawString {
        switch self {
        case .inode(let number): RawString(Self.inodeWord + "\(number)")
        case .end(let moment): RawString(Self.endWord + "\(moment.seconds) \(moment.nanoseconds)")
        }
    }
}

/// The moment from which on a tree that is being read may be other than what was read.
struct BackupMoment {
    /// When the reading began, by the clock of the file system.
    private let begun: Timestamp
    private var newest = Timestamp(seconds: .min)

    init(begun: Timestamp) { self.begun = begun }

    mutating func see(_ status: FileStatus) {
        newest = max(newest, Timestamp(status.changed))
    }

    /// Right behind the last change that was seen, or when the reading began.
    ///
    /// Nothing was changed between the two; the earlier one is the same for each backup of the same files.
    var end: Timestamp {
        guard newest < begun else { return begun }
        let isFull = newest.nanoseconds == 999_999_999
        return Timestamp(
            seconds: isFull ? newest.seconds + 1 : newest.seconds,
            nanoseconds: isFull ? 0 : newest.nanoseconds + 1)
    }
}

extension Timestamp {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int32(truncatingIfNeeded: time.tv_nsec))
    }
}
