import Archive
import Libc
import Platform
import Store

/// What keeps a backup from being made or restored.
enum BackupError: UserFacing, Equatable {
    case terminal
    case nothingToRead
    case exists(HostPath)
    case format(String)
    case cannotWrite(HostPath, SystemError)
    case unreadable(RawString, SystemError)
    /// The archive, read again, is not like the container in this entry.
    case differs(RawString)
    case notABackup(HostPath)
    case severalContainers(HostPath, String, String)
    case badArchive(HostPath, String, hint: String?)
    case nameTaken(ContainerName)
    /// A base that holds another container.
    case otherContainer(HostPath, String, ContainerName)
    /// A backup that does not say enough for an increment to follow it.
    case noBase(HostPath)
    case tooManyFiles
    /// An increment, where a whole backup is wanted.
    case increment(HostPath)
    /// A whole backup, where an increment is wanted.
    case noIncrement(HostPath)
    /// An increment to another backup than the one before it.
    case otherBase(HostPath)

    /// What an error at the end of writing a new file means.
    static func cannotPublish(_ path: HostPath, _ error: SystemError) -> BackupError {
        error.code == EEXIST ? .exists(path) : .cannotWrite(path, error)
    }

    /// Names the archive in what is wrong with it.
    static func translate(_ error: any Error, of path: HostPath) -> any Error {
        switch error {
        case let flaw as BackupUnpacker.Flaw: flaw.error(of: path)
        case let error as TarError: badArchive(path, error.message, hint: error.hint)
        case let error as CodecError: badArchive(path, error.message, hint: error.hint)
        case let error as TreeError: badArchive(path, error.message, hint: error.hint)
        default: error
        }
    }

    var message: String {
        switch self {
        case .terminal: "a backup is not written to a terminal"
        case .nothingToRead: "a backup is not read from a terminal"
        case .exists(let path): "\(path) exists already"
        case .format(let suffix): "backups are not written in the format of \(suffix) files"
        case .cannotWrite(let path, let error): "\(path) cannot be written: \(error.reason)"
        case .unreadable(let path, let error): "\(path) cannot be read: \(error.reason)"
        case .differs(let path): "the backup is not like the container: \(path) differs"
        case .notABackup(let path): "\(path) is not a backup of a container"
        case .severalContainers(let path, let first, let second):
            "\(path) holds more than one container: \(Quoted(first)) and \(Quoted(second))"
        case .badArchive(let path, let reason, _): "\(path): \(reason)"
        case .nameTaken(let name): "container \(name) exists already"
        case .otherContainer(let path, let other, let name):
            "\(path) is a backup of \(Quoted(other)), not of \(name)"
        case .noBase(let path): "\(path) is no backup that an increment can follow"
        case .tooManyFiles: "there are too many files for an increment"
        case .increment(let path):
            "\(path) is an increment, which is nothing without the backup that it follows"
        case .noIncrement(let path): "\(path) is no increment"
        case .otherBase(let path): "\(path) does not follow the backup before it"
        }
    }

    var hint: String? {
        switch self {
        case .terminal:
            "Name a file with --output, or send it through a pipe: chroot-distro backup NAME | ..."
        case .nothingToRead: "Name a file, or use a pipe: ... | chroot-distro restore"
        case .exists: "Choose another name, or delete it first."
        case .format: "Use .tar, .tar.gz, .tar.bz2, .tar.xz or .tar.zst, or choose with --compress."
        case .cannotWrite(_, let error):
            error.code == ENOSPC || error.code == EDQUOT
                ? "Free some space, or write it somewhere else. No file was left." : error.hint
        case .unreadable: "Run it as root."
        case .differs: "Something was written meanwhile, or the disk is failing. No file was left."
        case .notABackup:
            "A backup has a directory NAME/rootfs. Root file systems and images are for: chroot-distro install"
        case .severalContainers: "Take them apart, for example with tar."
        case .badArchive(_, _, let hint): hint
        case .nameTaken(let name):
            "Replace it with --force, or give it another name first: chroot-distro rename \(name) NEW"
        case .otherContainer: nil
        case .noBase: "Make a whole backup first, without --base; those of other programs do not say enough."
        case .tooManyFiles: "Make a whole backup, without --base."
        case .increment:
            "Give all of them, in the order in which they were made: chroot-distro restore BACKUP_FILE INCREMENT..."
        case .noIncrement: "Only the first file is a whole backup; what was made with --base follows it."
        case .otherBase:
            "Give the backup that was its --base, and the files in the order in which they were made."
        }
    }
}
