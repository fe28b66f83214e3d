import Archive
import CLI
import Libc
import Platform

/// A backup to be read.
struct BackupFile {
    /// What errors call it.
    let path: HostPath
    private let isStandardInput: Bool

    /// `-` is standard input.
    init(_ word: String) {
        isStandardInput = word == "-"
        path = isStandardInput ? "standard input" : HostPath(word)
    }

    /// Opens it; refuses a terminal, and what is no archive by its type.
    func source() throws -> any ByteSource {
        let file =
            isStandardInput
            ? FileDescriptor(adopting: try syscall("dup") { fcntl(0, F_DUPFD_CLOEXEC, 3) })
            : try FileDescriptor.open(path, O_RDONLY | O_NOCTTY)
        guard !file.isTerminal else { throw BackupError.nothingToRead }
        guard try file.status().kind != .directory else { throw BackupError.notABackup(path) }
        return FileSource(file)
    }

    /// Refuses to read standard input more than once.
    static func requireDistinct(_ files: [BackupFile]) throws(UsageError) {
        guard files.filter(\.isStandardInput).count > 1 else { return }
        throw UsageError("standard input can be read only once")
    }
}
