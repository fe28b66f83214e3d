import Archive
import CLinux
import Libc
import Platform
import Store

/// What a backup of a container holds, in the order in which it does; the same container gives the same backup.
final class BackupContents {
    private let name: ContainerName
    private let root: Directory
    private let options: BackupOptions
    private let base: BackupBase?
    private let manifest: (entry: TarEntry, bytes: [UInt8])?
    /// When the first reading began, by the clock of the file system.
    private let begun: Timestamp
    /// Where the tree is in the archive.
    private let place: GuestPath
    /// What was left out by the last reading.
    private(set) var omissions = BackupOmissions()
    /// Whether the last reading found the root of which the base was made.
    private(set) var isSameRoot = true

    /// With a `base`, only what has been changed since.
    init(_ container: borrowing Container, _ options: BackupOptions, since base: BackupBase?) throws {
        name = container.name
        self.options = options
        self.base = base
        // On a full or read-only disk nobody knows, and an increment to this will hold everything.
        begun = (try? Self.moment(container.directory)) ?? Timestamp(seconds: .min)
        place = GuestPath(components: [RawString(name.description), base == nil ? "rootfs" : "changes"])
        root = try Self.uncovered(container.rootfs().directory)
        manifest = try Self.manifest(container)
    }

    private static func moment(_ directory: borrowing Directory) throws(SystemError) -> Timestamp {
        Timestamp(try directory.openNamelessFile().status().changed)
    }

    /// The root without what is mounted in it, where this process may look at it so (open_tree(2)).
    static func uncovered(_ directory: borrowing Directory) throws(SystemError) -> Directory {
        let raw = cd_open_tree_clone(directory.raw, "", false)
        guard raw >= 0 else { return try directory.duplicate() }
        let copy = Directory(adopting: FileDescriptor(adopting: raw))
        // What open_tree(2) returns is only a place, which cannot be read.
        return try copy.openDirectory(".")
    }

    private static func manifest(_ container: borrowing Container) throws -> (TarEntry, [UInt8])? {
        guard let status = try container.directory.statusIfPresent("manifest.json"), status.kind == .regular
        else { return nil }
        let bytes = try container.directory.readFile("manifest.json", limit: ContainerManifest.sizeLimit)
        var entry = TarEntry(
            .regular, RawString("\(container.name)/manifest.json"), permissions: status.permissions)
        (entry.size, entry.modified) = (Int64(bytes.count), status.modified)
        return (entry, bytes)
    }

    /// Gives all entries with their data to `body`.
    func read(_ body: (TarEntry, any EntrySource) throws -> Void) throws {
        omissions = BackupOmissions()
        if let base {
            try give("increment", Array(try JSONEncoder().encode(IncrementRecord(base: base.digest))), body)
        }
        if let manifest { try body(manifest.entry, MemoryEntry(manifest.bytes)) }
        if let base { try readChanges(since: base, body) } else { try readAll(body) }
        if let (path, error) = omissions.unreadable { throw BackupError.unreadable(path, error) }
    }

    private func give(
        _ file: String, _ bytes: [UInt8], _ body: (TarEntry, any EntrySource) throws -> Void
    ) throws {
        var entry = TarEntry(.regular, RawString("\(name)/\(file)"), permissions: 0o600)
        entry.size = Int64(bytes.count)
        try body(entry, MemoryEntry(bytes))
    }

    private func reader(_ options: TreeReader.Options) throws -> TreeReader {
        try TreeReader(try root.duplicate(), as: place, options) { [unowned self] in omissions.note($0, $1) }
    }

    /// Ends the tree: its root once more, with the moment up to which everything is known.
    private func end(
        _ root: TarEntry?, _ moment: BackupMoment, _ body: (TarEntry, any EntrySource) throws -> Void
    ) throws {
        guard var root else { return }
        root.comment = BackupNote.end(moment.end).comment
        try body(root, MemoryEntry([]))
    }

    private func readAll(_ body: (TarEntry, any EntrySource) throws -> Void) throws {
        let reader = try reader(TreeReader.Options())
        var moment = BackupMoment(begun: begun)
        var root: TarEntry?
        while var entry = try reader.next() {
            moment.see(reader.status)
            settleOwner(&entry)
            if entry.kind == .directory { entry.comment = BackupNote.inode(reader.status.inode).comment }
            if root == nil { root = entry }
            try body(entry, reader)
        }
        try end(root, moment, body)
    }

    private func settleOwner(_ entry: inout TarEntry) {
        if options.hasZeroOwners { (entry.owner, entry.group) = (0, 0) }
    }

    // MARK: - Increments

    /// The part of a path in the archive that is one from the root.
    private func inside(_ path: RawString) -> [UInt8] {
        Array(path.bytes.dropFirst(place.relative.bytes.count + 1))
    }

    private func record(_ entry: TarEntry, _ status: FileStatus) -> [UInt8] {
        BackupIndex.record(entry, inode: status.inode, linkTarget: inside(entry.linkTarget))
    }

    private func readChanges(
        since base: BackupBase, _ body: (TarEntry, any EntrySource) throws -> Void
    ) throws {
        var options = TreeReader.Options()
        (options.readsContent, options.readsAttributes) = (false, false)
        let reader = try reader(options)
        var comparison = BackupComparison(since: base, now: begun)
        var (index, moment) = (BackupIndex(), BackupMoment(begun: begun))
        var root: TarEntry?
        var vanished: Set<[UInt8]> = []
        while var entry = try reader.next() {
            settleOwner(&entry)
            let path = inside(entry.path)
            var record = record(entry, reader.status)
            let target = entry.kind == .hardLink ? inside(entry.linkTarget) : []
            if try comparison.isChanged(path, record, entry.kind, reader.status, linkTarget: target) {
                // Its other name, under which it was to be, went away at the wrong moment.
                if vanished.contains(target), entry.kind == .hardLink {
                    omissions.note(entry.path, .vanished)
                    continue
                }
                guard var whole = try reader.complete(entry) else {
                    vanished.insert(path)
                    continue
                }
                settleOwner(&whole)
                entry = whole
                record = self.record(entry, reader.status)
                try body(entry, reader)
            }
            moment.see(reader.status)
            if root == nil { root = try withAttributes(entry, reader) }
            guard index.add(path, record) else { throw BackupError.tooManyFiles }
        }
        isSameRoot = comparison.isSameRoot
        try give("files", index.bytes, body)
        try end(root, moment, body)
    }

    private func withAttributes(_ entry: TarEntry, _ reader: TreeReader) throws -> TarEntry {
        var entry = entry
        entry.attributes = try reader.currentAttributes()
        return entry
    }

    // MARK: - Verifying

    /// Reads an archive and throws at the first entry that is not like the container's.
    func verify(_ source: any ByteSource) throws {
        try ArchiveStream.read(source) { archive in
            try read { entry, source in
                guard let stored = try archive.next(), stored.describesTheSame(as: entry),
                    try DataComparison.isSame(archive, source)
                else { throw BackupError.differs(entry.path) }
            }
            if let more = try archive.next() { throw BackupError.differs(more.path) }
        }
    }
}
