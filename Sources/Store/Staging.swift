import CLinux
import Libc
import Platform

/// A container in the making: it becomes visible in one step, or is thrown away.
///
/// The directory itself is locked as long as its maker lives, so that a sweep tells work from debris.
package struct Staging: ~Copyable {
    package let name: ContainerName
    package let directory: Directory
    private let parent: Directory
    private let file: RawString

    /// `EAGAIN` when a sweep took the new directory for debris before it was locked.
    init(_ name: ContainerName, in parent: consuming Directory) throws(SystemError) {
        let file = RawString("\(name).\(UInt64.random(in: 0 ... .max))")
        try parent.makeDirectory(file, mode: 0o700)
        let directory = try parent.openDirectory(file)
        let isLocked = try directory.tryLock()
        let named = try parent.statusIfPresent(file)
        let own = try directory.status()
        guard isLocked, named?.inode == own.inode else {
            throw SystemError("flock", file.description, code: EAGAIN)
        }
        try directory.makeDirectory("rootfs", mode: 0o755)
        self.init(name, file, directory, in: parent)
    }

    private init(
        _ name: ContainerName, _ file: RawString, _ directory: consuming Directory,
        in parent: consuming Directory
    ) {
        self.name = name
        self.file = file
        self.directory = directory
        self.parent = parent
    }

    package func rootfs() throws(SystemError) -> Rootfs {
        Rootfs(adopting: try directory.openDirectory("rootfs"))
    }

    package func write(_ document: RawString, _ bytes: [UInt8]) throws(SystemError) {
        try directory.replaceFile(document, with: bytes, durable: false)
    }

    /// Moves it to its place; `EEXIST` when somebody was faster.
    func publish(in containers: borrowing Directory) throws {
        try Flushing.begin(directory)
        do {
            try parent.rename(file, to: containers, name.file, .failIfTaken)
        } catch  where error.code == EEXIST {
            throw StoreError.nameTaken(name)
        }
    }

    /// Throws the unfinished work away.
    package func discard(in store: borrowing ContainerStore) throws {
        let trash = try Trash(in: store.data)
        let thrown = try trash.take(file, from: parent)
        try trash.delete(thrown, name: name)
    }

    /// Throws away what no living process is working on.
    static func sweep(_ staging: borrowing Directory, into trash: borrowing Trash) throws {
        try staging.removeTemporaryFiles()
        for entry in try staging.entries() where entry.kind == .directory {
            guard let directory = try? staging.openDirectory(entry.name) else { continue }
            let isDebris = try directory.tryLock()
            guard isDebris else { continue }
            // It may have got its place, or been swept by somebody else, since it was listed.
            _ = try trash.takeIfPresent(entry.name, from: staging)
        }
    }
}
