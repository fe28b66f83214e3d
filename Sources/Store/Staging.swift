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
    /// By the file system's clock.
    private let began: timespec
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
        let began = try directory.status("rootfs").changed
        self.init(name, file, directory, began, in: parent)
    }

    private init(
        _ name: ContainerName, _ file: RawString, _ directory: consuming Directory, _ began: timespec,
        in parent: consuming Directory
    ) {
        self.name = name
        self.file = file
        self.directory = directory
        self.began = began
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

    /// The root is now what its image makes of it.
    package func noteCompletion() throws(SystemError) { try Completion.note(in: directory, from: began) }

    /// What the image's layers make, beside the root.
    package static let imageTree: RawString = "image.tree"

    /// What a container has of its root and its image, which another root does not inherit.
    private static let ofTheRoot: Set<RawString> = [
        "manifest.json", Flushing.mark, Completion.file, imageTree, ContainerStore.rangeFile,
        "diff_baseline.json",
    ]

    /// Takes over what lies beside the root of `old`: settings and logs, and the ids that it has for its own.
    func inherit(from old: borrowing Container) throws(SystemError) {
        for entry in try old.directory.entries()
        where entry.kind == .regular && !Self.ofTheRoot.contains(entry.name) {
            try old.directory.link(entry.name, to: directory, entry.name)
        }
        try ContainerStore.moveRange(from: old.directory, to: directory)
    }

    /// Takes the place of the container that has the name, which gets this one's.
    func exchange(in containers: borrowing Directory) throws(SystemError) {
        try Flushing.begin(directory)
        try parent.rename(file, to: containers, name.file, .exchange)
    }

    /// Throws the unfinished work away, or what was exchanged for it.
    package func discard(in store: borrowing ContainerStore) throws {
        let trash = try Trash(in: store.data)
        guard let thrown = try trash.takeIfPresent(file, from: parent) else { return }
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
