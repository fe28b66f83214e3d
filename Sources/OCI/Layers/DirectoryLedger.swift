import Archive
import Libc
import Platform

/// What directories are to look like once a layer is complete.
///
/// Writing into a directory needs permissions that it may not end with, and changes its times; so everything about
/// directories is done last, the deepest first.
struct DirectoryLedger {
    private enum Fate {
        /// As the layer has it.
        case described(TarEntry)
        /// As it was before.
        case untouched(mode_t, modified: timespec)
    }

    private struct Record {
        let path: GuestPath
        let fate: Fate
    }

    private var records: [FileIdentity: Record] = [:]

    /// A directory that was there before; the first account of it counts.
    mutating func noteExisting(_ path: GuestPath, _ status: FileStatus) {
        let identity = FileIdentity(status)
        guard records[identity] == nil else { return }
        records[identity] = Record(
            path: path, fate: .untouched(status.permissions, modified: status.modified))
    }

    /// A directory that the layer lists; the last account of it counts.
    mutating func note(_ path: GuestPath, _ identity: FileIdentity, as entry: TarEntry) {
        records[identity] = Record(path: path, fate: .described(entry))
    }

    /// Gives every directory its final state and starts over.
    mutating func settle(in rootfs: borrowing Rootfs, _ report: inout LayerReport) throws(LayerError) {
        let ordered = records.sorted { $0.value.path.components.count > $1.value.path.components.count }
        records.removeAll()
        for (identity, record) in ordered {
            do throws(SystemError) {
                guard let directory = try Self.open(record.path, identity, rootfs) else { continue }
                try Self.settle(directory, record.fate, &report)
            } catch {
                throw LayerError.refused(member: record.path.relative, error)
            }
        }
    }

    /// `nil` when something else has its name by now.
    private static func open(
        _ path: GuestPath, _ identity: FileIdentity, _ rootfs: borrowing Rootfs
    ) throws(SystemError) -> FileDescriptor? {
        do {
            let directory = try rootfs.open(path, O_RDONLY | O_DIRECTORY)
            guard FileIdentity(try directory.status()) == identity else { return nil }
            return directory
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return nil
        }
    }

    private static func settle(
        _ directory: borrowing FileDescriptor, _ fate: Fate, _ report: inout LayerReport
    ) throws(SystemError) {
        switch fate {
        case .described(let entry):
            // Those of a lower layer, or of a directory above that hands its own down (acl(5)).
            try EntryMetadata.clearAttributes(directory)
            try EntryMetadata.apply(entry, to: directory, &report)
        case .untouched(let mode, let modified):
            if geteuid() != 0 { try syscall("fchmod") { fchmod(directory.rawValue, mode) } }
            try EntryMetadata.setTimes(directory, accessed: modified, modified: modified)
        }
    }
}
