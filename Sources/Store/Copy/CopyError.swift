import Libc
import Platform

/// Why a copy cannot be made, or is not complete.
package enum CopyError: UserFacing, Equatable {
    case noContainer(FilePlace, FilePlace)
    case missing(FilePlace)
    case refused(FilePlace, SystemError)
    case special(FilePlace)
    case isDirectory(FilePlace)
    case notDirectory(FilePlace)
    case noDirectory(FilePlace)
    /// A symbolic link that leads to nothing; its text.
    case dangling(FilePlace, RawString)
    case same(FilePlace, FilePlace)
    case intoItself(FilePlace, FilePlace)
    case sourceInDestination(FilePlace, FilePlace)
    case nothingToMove(FilePlace)
    case deletesForFile(FilePlace)
    /// The path that would be its new name.
    case taken(RawString)
    case incomplete(failures: Int, isMove: Bool)
    /// Entries of a moved source that are not what was copied any more.
    case leftBehind(Int, FilePlace)

    package var message: String {
        switch self {
        case .noContainer(let source, let destination):
            "neither \(source) nor \(destination) is in a container"
        case .missing(let place): "\(place) does not exist"
        case .refused(let place, let error): "\(place): \(error.reason) (\(error.call))"
        case .special(let place): "\(place) is a device, a FIFO or a socket"
        case .isDirectory(let place): "\(place) is a directory"
        case .notDirectory(let place): "\(place) is no directory"
        case .noDirectory(let place): "there is no directory \(place)"
        case .dangling(let place, let target):
            "\(place) is a symbolic link to \(target), which does not exist"
        case .same(let source, let destination): "\(source) and \(destination) are the same file"
        case .intoItself(let source, let destination): "\(destination) is inside \(source)"
        case .sourceInDestination(let source, let destination):
            "\(source) is inside \(destination) and would be deleted with what the source does not have"
        case .nothingToMove(let place): "\(place) cannot be moved: it has no name of its own"
        case .deletesForFile(let place): "--delete is for directories, and \(place) is none"
        case .taken(let path): "\(path) is there already"
        case .leftBehind(let count, let place):
            "everything was copied, but \(count) entries of \(place) have changed meanwhile and were left there"
        case .incomplete(_, isMove: true): "not everything could be moved; the source was left as it was"
        case .incomplete(let failures, isMove: false): "\(failures) of the entries could not be copied"
        }
    }

    package var hint: String? {
        switch self {
        case .noContainer: "A path in a container is written NAME:PATH. On this host alone, use cp or rsync."
        case .missing(let place):
            place.container == nil ? nil : "Paths in a container begin at its root: NAME:/etc/hosts"
        case .refused(_, let error):
            error.code == ELOOP ? "Links in /proc, such as /dev/stdin, are not followed." : error.hint
        case .special: "Only files, directories and symbolic links are copied."
        case .isDirectory: "Copy it with everything in it: --recursive"
        case .notDirectory, .noDirectory: "A path that ends with a slash has to be a directory."
        case .dangling: "Remove the link, or write where it leads to."
        case .same, .intoItself, .sourceInDestination: "Choose another destination."
        case .nothingToMove: "Move what is in it, one by one."
        case .deletesForFile: "Leave --delete out."
        case .taken: "Move it to another name, or copy it with --recursive, which merges directories."
        case .incomplete, .leftBehind: nil
        }
    }
}
