import Archive
import CLI
import CLinux
import Libc
import Platform
import Store

/// Packs a tree into a squashfs image.
///
/// The tree is read here, by descriptors, and goes through a pipe as an archive: `mksquashfs` itself would follow the
/// links that a guest puts in its way.
final class SquashfsExport {
    private let context: Context
    private let format: String
    private let hasZeroOwners: Bool
    private var omissions = BackupOmissions()

    init(_ context: Context, format: String, hasZeroOwners: Bool) {
        self.context = context
        self.format = format
        self.hasZeroOwners = hasZeroOwners
    }

    /// Writes the image of what is in `root` into a new file.
    func run(_ root: consuming Directory, to file: borrowing FileDescriptor) throws {
        let reader = try TreeReader(root) { [unowned self] in omissions.note($0, $1) }
        guard let top = try reader.next() else { return }
        let feed = try Feed()
        // The file has no name yet, and standard input is taken.
        var words: [RawString] = [
            "-", RawString("/proc/\(getpid())/fd/\(file.rawValue)"), "-tar", "-noappend", "-no-progress",
            "-quiet",
            "-xattrs", "-comp", RawString(format), "-root-mode", RawString(String(top.permissions, radix: 8)),
            "-root-uid", RawString("\(top.owner)"), "-root-gid", RawString("\(top.group)"), "-root-time",
            RawString("\(Self.clamped(top.modified).tv_sec)"),
        ]
        if hasZeroOwners { words.append("-all-root") }
        // Should it end early, that is an error like others.
        SignalAction.ignore.set(for: SIGPIPE)
        defer { SignalAction.standard.set(for: SIGPIPE) }
        try Squashfs.run("mksquashfs", words, input: feed.input, context) {
            try Self.write(reader, to: feed.begin())
        }
        if let (path, error) = omissions.unreadable { throw BackupError.unreadable(path, error) }
        omissions.tell(context.diagnostics)
    }

    private static func write(_ reader: TreeReader, to pipe: consuming FileDescriptor) throws {
        let tar = TarWriter(BufferedSink(FileSink(pipe)))
        while var entry = try reader.next() {
            entry.modified = clamped(entry.modified)
            try tar.append(entry, from: reader)
        }
        try tar.finish()
    }

    /// Squashfs has whole seconds from 1970 to 2106, and the program takes no others.
    private static func clamped(_ time: timespec) -> timespec {
        timespec(tv_sec: min(max(time.tv_sec, 0), Int(UInt32.max)), tv_nsec: 0)
    }
}

/// A pipe to a program that is about to be started.
private final class Feed {
    private var reading: FileDescriptor?
    private var writing: FileDescriptor?
    /// The end for the program.
    let input: Int32

    init() throws(SystemError) {
        var (read, write): (Int32, Int32) = (-1, -1)
        try syscall("pipe2") { cd_pipe(&read, &write) }
        reading = FileDescriptor(adopting: read)
        writing = FileDescriptor(adopting: write)
        input = read
    }

    /// Now that the program has its end, only it is to keep the pipe open.
    func begin() throws(SystemError) -> FileDescriptor {
        reading = nil
        guard let end = writing.take() else { throw SystemError("write", code: EBADF) }
        return end
    }
}
