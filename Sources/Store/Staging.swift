import CLinux
import Libc
import Platform

/// A container in the making: it becomes visible in one step, or is thrown away.
///
/// The directory is locked as long as its maker lives, so that a sweep tells work from debris.
package struct Staging: ~Copyable {
    package let name: ContainerName
    package let directory: Directory
    private let parent: Directory
    private let file: RawString
    private let lock: FileLock

    init(_ name: ContainerName, in parent: consuming Directory) throws(SystemError) {
        let file = RawString("\(name).\(UInt64.random(in: 0 ... .max))")
        try parent.makeDirectory(file, mode: 0o700)
        let directory = try parent.openDirectory(file)
        try directory.makeDirectory("rootfs", mode: 0o755)
        self.init(
            name, file, lock: try FileLock(directory, Self.lockName, .exclusive, wait: false), directory,
            in: parent)
    }

    private init(
        _ name: ContainerName, _ file: RawString, lock: consuming FileLock, _ directory: consuming Directory,
        in parent: consuming Directory
    ) {
        self.name = name
        self.file = file
        self.lock = lock
        self.directory = directory
        self.parent = parent
    }

    private static let lockName: RawString = ".lock"

    package func rootfs() throws(SystemError) -> Rootfs {
        Rootfs(adopting: try directory.openDirectory("rootfs"))
    }

    package func write(_ document: RawString, _ bytes: [UInt8]) throws(SystemError) {
        try directory.replaceFile(document, with: bytes, durable: false)
    }

    /// Moves it to its place; `EEXIST` when somebody was faster.
    func publish(in containers: borrowing Directory) throws {
        try Flushing.begin(directory)
        try directory.removeFile(Self.lockName)
        do {
            try parent.rename(file, to: containers, name.file, .failIfTaken)
        } catch  where error.code == EEXIST {
            throw StoreError.nameTaken(name)
        }
    }

    /// Throws the unfinished work away.
    package consuming func discard(in store: borrowing ContainerStore) throws {
        let trash = try Trash(in: store.data)
        let thrown = try trash.take(file, from: parent)
        try trash.delete(thrown, name: name)
    }

    /// Throws away what no living process is working on.
    static func sweep(_ staging: borrowing Directory, into trash: borrowing Trash) throws {
        for entry in try staging.entries() where entry.kind == .directory {
            guard let directory = try? staging.openDirectory(entry.name) else { continue }
            // Younger than its lock file: its maker is about to lock it.
            guard (try? directory.statusIfPresent(lockName)) != nil || isOld(directory) else { continue }
            let lock = try FileLock.attempt(directory, lockName, .exclusive)
            if lock == nil { continue }
            _ = try trash.take(entry.name, from: staging)
        }
    }

    private static func isOld(_ directory: borrowing Directory) -> Bool {
        guard let status = try? directory.status() else { return false }
        return time(nil) - status.changed.tv_sec > 60
    }
}
