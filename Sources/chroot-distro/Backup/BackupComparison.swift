import Archive
import Platform

/// Tells which files of a container are not as a base has them.
///
/// A time of modification can be set to anything, and so is no proof. A file is taken for unchanged when its record is
/// the same, the time of its last change (`st_ctim`), which nobody sets, is before the base, and its directory is the
/// very one that it was in: another directory may have taken the name, with files that are all as old.
struct BackupComparison {
    private var cursor: BackupIndex.Cursor
    private var hasNext = false
    private var isStarted = false
    private let moment: Timestamp
    /// Whether the clock tells what was changed since.
    private let isClockRight: Bool
    /// For each directory from the root to the current one whether it is the one that the base has there.
    private var isSame: [Bool] = []
    /// First names of files with several that are not as they were.
    private var changedFirstNames: Set<[UInt8]> = []
    /// Whether the root is the one of which the base was made.
    private(set) var isSameRoot = false

    /// `now` is the time of the file system.
    init(since base: BackupBase, now: Timestamp) {
        cursor = base.index.cursor()
        moment = base.moment
        isClockRight = now >= base.moment
    }

    /// Whether the next file, in the order of the tree, is not as the base has it.
    ///
    /// `path` and `linkTarget`, of a hard link, are from the root.
    mutating func isChanged(
        _ path: [UInt8], _ record: [UInt8], _ kind: TarEntry.Kind, _ status: FileStatus, linkTarget: [UInt8]
    ) throws -> Bool {
        try advance(to: path)
        let isKnown = hasNext && cursor.path == path
        let depth = path.isEmpty ? 0 : path.reduce(1) { $1 == UInt8(ascii: "/") ? $0 + 1 : $0 }
        isSame.removeLast(max(0, isSame.count - depth))
        let isAtHome = isSame.last ?? true
        if kind == .directory {
            isSame.append(isKnown && cursor.inode == status.inode)
            if depth == 0 { isSameRoot = isSame[0] }
        }
        let isOld = isClockRight && Timestamp(status.changed) < moment
        let isUnchanged =
            isKnown && isOld && cursor.record.elementsEqual(record) && (isAtHome || kind == .directory)
        // Names of one file are changed together, or would be of two files afterwards.
        if kind == .hardLink { return !isUnchanged || changedFirstNames.contains(linkTarget) }
        if !isUnchanged, kind != .directory, status.links > 1 { changedFirstNames.insert(path) }
        return !isUnchanged
    }

    private mutating func advance(to path: [UInt8]) throws {
        if !isStarted {
            isStarted = true
            hasNext = try cursor.next()
        }
        while hasNext, BackupIndex.isInOrder(cursor.path, path) { hasNext = try cursor.next() }
    }
}
