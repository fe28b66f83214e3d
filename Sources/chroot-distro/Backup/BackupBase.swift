import Archive
import Libc
import OCI
import Platform
import Store

/// The backup that an increment follows: a whole one, or an increment itself.
struct BackupBase {
    /// Of its bytes without compression.
    let digest: Digest
    /// All files that the container had.
    let index: BackupIndex
    /// What was changed since then has this time of change or a later one.
    let moment: Timestamp

    /// Reads the backup of a container; `path` is what errors call it.
    static func read(_ source: any ByteSource, at path: HostPath, of name: ContainerName) throws -> BackupBase
    {
        let digest = try StreamDigest()
        do {
            var reading = BaseReading(path, name)
            try ArchiveStream.read(source, observing: digest.update) { archive in
                while let entry = try archive.next() { try reading.take(entry, from: archive) }
            }
            return try reading.result(digest.finish())
        } catch {
            throw BackupError.translate(error, of: path)
        }
    }
}

/// What has been learnt of a base so far.
private struct BaseReading {
    private let path: HostPath
    private let name: ContainerName
    private var index = BackupIndex()
    /// The index that an increment brings.
    private var ready: BackupIndex?
    private var moment: Timestamp?

    init(_ path: HostPath, _ name: ContainerName) {
        self.path = path
        self.name = name
    }

    mutating func take(_ entry: TarEntry, from archive: TarReader) throws {
        guard let (container, member) = BackupMember.read(entry.path) else { return }
        guard container == RawString(name.description) else {
            throw BackupError.otherContainer(path, container.text, name)
        }
        switch member {
        case .files:
            let bytes = try archive.readData(limit: BackupIndex.sizeLimit)
            ready = bytes.flatMap { BackupIndex($0) }
            guard ready != nil else { throw BackupUnpacker.Flaw.badIndex }
        case .tree(let place), .change(let place):
            let note = BackupNote(entry.comment)
            if case .end(let end) = note, place.components.isEmpty {
                moment = end
            } else if case .tree = member {
                try enter(entry, place, note)
            }
        default: break
        }
    }

    private mutating func enter(_ entry: TarEntry, _ place: GuestPath, _ note: BackupNote?) throws {
        var inode: UInt64 = 0
        if entry.kind == .directory {
            guard case .inode(let number) = note else { throw BackupError.noBase(path) }
            inode = number
        }
        var target: [UInt8] = []
        if entry.kind == .hardLink, case .tree(let place)? = BackupMember.read(entry.linkTarget)?.member {
            target = place.components.isEmpty ? [] : place.relative.bytes
        }
        let record = BackupIndex.record(entry, inode: inode, linkTarget: target)
        let isInOrder = index.add(place.components.isEmpty ? [] : place.relative.bytes, record)
        guard isInOrder, moment == nil else { throw BackupError.noBase(path) }
    }

    func result(_ digest: Digest) throws -> BackupBase {
        guard let moment else { throw BackupError.noBase(path) }
        return BackupBase(digest: digest, index: ready ?? index, moment: moment)
    }
}

/// The digest of a stream that another thread reads.
final class StreamDigest {
    private var hasher: DigestHasher?

    init() throws { hasher = try DigestHasher(.sha256) }

    /// Takes the next bytes.
    func update(_ bytes: UnsafeRawBufferPointer) { hasher?.update(bytes) }

    /// Call it once that thread has ended.
    func finish() throws(MissingLibrary) -> Digest {
        guard let hasher = hasher.take() else { throw .crypto }
        return hasher.finish()
    }
}

/// What an increment says of itself: `NAME/increment`.
struct IncrementRecord: Codable {
    var schema = 1
    /// That of the backup that it follows, without compression.
    let base: Digest
}
