import Libc
import Platform

/// What directories are to look like once a tree is complete.
///
/// Writing into a directory needs permissions that it may not end with, and changes its times; so everything about
/// directories is done last, and a directory after those in it.
struct DirectoryLedger {
    private enum Fate {
        /// As its entry says.
        case described(TarEntry)
        /// As it was before.
        case untouched(mode_t, modified: timespec)
    }

    private struct Record {
        /// In one piece, which takes a tenth of the memory of its components.
        let path: RawString
        let fate: Fate

        init(_ path: GuestPath, _ fate: Fate) {
            self.path = path.absolute
            self.fate = fate
        }

        /// Bytes, about.
        var size: Int {
            guard case .described(let entry) = fate else { return path.bytes.count + 256 }
            return entry.attributes.reduce(path.bytes.count + 256) {
                $0 + $1.name.bytes.count + $1.value.count + 64
            }
        }
    }

    private var records: [FileIdentity: Record] = [:]
    private var size = 0
    private let limit: Int

    /// `limit` is how many bytes it may take, about.
    init(limit: Int) { self.limit = limit }

    /// Whether it is time to `settle`, however much is still to come.
    ///
    /// A directory that is needed again afterwards counts as one that was there before.
    var isFull: Bool { size > limit }

    /// A directory that was there before; the first account of it counts.
    mutating func noteExisting(_ path: @autoclosure () -> GuestPath, _ status: FileStatus) {
        let identity = FileIdentity(status)
        guard records[identity] == nil else { return }
        keep(Record(path(), .untouched(status.permissions, modified: status.modified)), identity)
    }

    /// A directory that an entry describes; the last account of it counts.
    mutating func note(_ path: GuestPath, _ identity: FileIdentity, as entry: TarEntry) {
        // Names of a megabyte each are not worth keeping.
        var essence = TarEntry(.directory, "", permissions: entry.permissions)
        (essence.owner, essence.group) = (entry.owner, entry.group)
        (essence.modified, essence.accessed) = (entry.modified, entry.accessed)
        essence.attributes = entry.attributes
        keep(Record(path, .described(essence)), identity)
    }

    private mutating func keep(_ record: Record, _ identity: FileIdentity) {
        size += record.size - (records.updateValue(record, forKey: identity)?.size ?? 0)
    }

    /// Gives every directory its final state and starts over.
    ///
    /// One that cannot be given it keeps none of the others from theirs; the first such failure is thrown at the end.
    mutating func settle(by trail: ParentTrail, _ report: inout TreeReport) throws(TreeError) {
        // In this order, what is in a directory comes before itself, and neighbours have most of their way in common.
        let ordered = records.sorted { $1.value.path < $0.value.path }
        records.removeAll()
        size = 0
        var failure: TreeError?
        for (identity, record) in ordered {
            let path = GuestPath(record.path)
            do throws(SystemError) {
                // Something else may have its name by now.
                guard let found = try trail.find(path.components[...]), found.identity == identity else {
                    continue
                }
                try Self.settle(found.directory.descriptor, record.fate, &report)
            } catch {
                if failure == nil { failure = .refused(member: path.relative, error) }
            }
        }
        trail.reset()
        if let failure { throw failure }
    }

    private static func settle(
        _ directory: borrowing FileDescriptor, _ fate: Fate, _ report: inout TreeReport
    ) throws(SystemError) {
        switch fate {
        case .described(let entry):
            // Those that it had before, or of a directory above that hands its own down (acl(5)).
            try EntryMetadata.clearAttributes(directory)
            try EntryMetadata.apply(entry, to: directory, &report)
        case .untouched(let mode, let modified):
            if geteuid() != 0 { try syscall("fchmod") { fchmod(directory.rawValue, mode) } }
            let now = try directory.status().modified
            guard (now.tv_sec, now.tv_nsec) != (modified.tv_sec, modified.tv_nsec) else { return }
            try EntryMetadata.setTimes(directory, accessed: modified, modified: modified)
        }
    }
}
