import Archive
import CLI
import CLinux
import Libc
import Platform
import Store

/// What a backup of a container holds, in the order in which it does; equal containers give equal backups.
final class BackupContents {
    private let name: ContainerName
    private let root: Directory
    private let options: BackupOptions
    private var manifest: (entry: TarEntry, bytes: [UInt8])?
    /// What was left out by the last reading.
    private(set) var omissions = BackupOmissions()

    init(_ container: borrowing Container, _ options: BackupOptions) throws {
        name = container.name
        self.options = options
        root = try Self.uncovered(container.rootfs().directory)
        manifest = try Self.manifest(container)
    }

    /// The root without what is mounted in it, where this process may look at it so (open_tree(2)).
    private static func uncovered(_ directory: borrowing Directory) throws(SystemError) -> Directory {
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
        if let manifest { try body(manifest.entry, MemoryEntry(manifest.bytes)) }
        let reader = try TreeReader(
            try root.duplicate(), as: GuestPath(components: [RawString(name.description), "rootfs"])
        ) { [unowned self] in omissions.note($0, $1) }
        while var entry = try reader.next() {
            if options.hasZeroOwners { (entry.owner, entry.group) = (0, 0) }
            try body(entry, reader)
        }
        if let (path, error) = omissions.unreadable { throw BackupError.unreadable(path, error) }
    }

    /// Reads an archive and throws at the first entry that is not like the container's.
    func verify(_ source: any ByteSource) throws {
        try ArchiveStream.read(source) { archive in
            try read { entry, source in
                guard let stored = try archive.next(), stored.describesTheSame(as: entry),
                    try Self.hasSameData(archive, source)
                else { throw BackupError.differs(entry.path) }
            }
            if let more = try archive.next() { throw BackupError.differs(more.path) }
        }
    }

    private static func isSame(
        _ left: Slice<UnsafeRawBufferPointer>, _ right: Slice<UnsafeRawBufferPointer>
    ) -> Bool {
        let (left, right) = (UnsafeRawBufferPointer(rebasing: left), UnsafeRawBufferPointer(rebasing: right))
        guard let first = left.baseAddress, let second = right.baseAddress else { return left.isEmpty }
        return memcmp(first, second, left.count) == 0
    }

    private static func hasSameData(_ left: any EntrySource, _ right: any EntrySource) throws -> Bool {
        var (first, second) = (DataCursor(left), DataCursor(right))
        while true {
            guard try first.fill(), try second.fill() else { return try first.fill() == second.fill() }
            guard first.offset == second.offset else { return false }
            let count = min(first.bytes.count, second.bytes.count)
            let pieces = (first.bytes.prefix(count), second.bytes.prefix(count))
            guard Self.isSame(pieces.0, pieces.1) else { return false }
            first.consume(count)
            second.consume(count)
        }
    }
}

/// The data of an entry that is compared with another's, piece by piece.
private struct DataCursor {
    private let source: any EntrySource
    private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var offset: Int64 = 0

    init(_ source: any EntrySource) { self.source = source }

    /// False at the end.
    mutating func fill() throws -> Bool {
        guard bytes.isEmpty else { return true }
        guard let stretch = try source.nextStretch() else { return false }
        (bytes, offset) = (stretch.bytes, stretch.offset)
        return true
    }

    mutating func consume(_ count: Int) {
        bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
        offset += Int64(count)
    }
}

/// An entry whose data is in memory.
private final class MemoryEntry: EntrySource {
    private let data: [UInt8]
    private let buffer: UnsafeMutableRawBufferPointer
    private var isRead: Bool

    init(_ data: [UInt8]) {
        self.data = data
        isRead = data.isEmpty
        buffer = .allocate(byteCount: max(1, data.count), alignment: 1)
        buffer.copyBytes(from: data)
    }

    deinit { buffer.deallocate() }

    func next() -> TarEntry? { nil }

    func nextStretch() -> TarStretch? {
        guard !isRead else { return nil }
        isRead = true
        return TarStretch(offset: 0, bytes: UnsafeRawBufferPointer(rebasing: buffer[..<data.count]))
    }
}
