import Archive
import CLinux
import Libc
import Platform

/// Unpacks layers and archives into a root, by descriptors only.
///
/// A path of the archive never leaves the root: its text is cleaned, links on the way are followed inside the root,
/// and its last component is never followed. What stands in the way of an entry is replaced. Nothing is flushed to
/// the disk; that is the caller's decision (syncfs(2)).
package final class LayerApplier {
    private let rootfs: Rootfs
    private let trail: ParentTrail
    private var rules = MemberRules.layer
    private var contents = LayerContents()
    private var ledger = DirectoryLedger(limit: 0)
    private var report = LayerReport()
    private let ledgerLimit: Int

    /// `directory` is the root to fill; it must be empty or hold the layers below.
    package convenience init(_ directory: consuming Directory) throws(SystemError) {
        try self.init(directory, hasOpenat2: Kernel.hasOpenat2)
    }

    /// For tests: with `hasOpenat2` false, links are followed by a walk over the components; `ledgerLimit` is the
    /// memory for what directories are to become.
    init(_ directory: consuming Directory, hasOpenat2: Bool, ledgerLimit: Int = 32 << 20) throws(SystemError)
    {
        self.ledgerLimit = ledgerLimit
        rootfs = Rootfs(adopting: directory, hasOpenat2: hasOpenat2)
        let again = Rootfs(adopting: try rootfs.directory.duplicate(), hasOpenat2: hasOpenat2)
        trail = try ParentTrail(again)
    }

    /// Applies all that `reader` still has.
    ///
    /// Members outside the prefix of `rules` are handed to `outside`, which may read their data. After an error the
    /// root is half done and good for nothing.
    package func apply(
        _ reader: TarReader, _ rules: MemberRules = .layer,
        outside: (TarEntry, TarReader) throws -> Void = { _, _ in }
    ) throws -> LayerReport {
        self.rules = rules
        contents = LayerContents()
        ledger = DirectoryLedger(limit: ledgerLimit)
        report = LayerReport()
        trail.reset()
        trail.onArrival = { [unowned self] in ledger.noteExisting($0, $1) }
        ledger.noteExisting(.root, try rootfs.directory.status())
        while let entry = try reader.next() {
            if ledger.isFull {
                trail.reset()
                try ledger.settle(in: rootfs, &report)
            }
            guard let path = rules.place(of: entry.path) else {
                try outside(entry, reader)
                continue
            }
            do {
                try apply(entry, at: path, reader)
            } catch let error as SystemError {
                throw Self.failure(error, entry)
            }
        }
        trail.reset()
        try ledger.settle(in: rootfs, &report)
        return report
    }

    private static func failure(_ error: SystemError, _ entry: TarEntry) -> LayerError {
        switch error.code {
        case EXDEV, EBUSY: .mountPoint(member: entry.path)
        default: .refused(member: entry.path, error)
        }
    }

    private func apply(_ entry: TarEntry, at path: GuestPath, _ reader: TarReader) throws {
        guard let name = path.lastComponent else {
            guard entry.kind == .directory else { throw LayerError.rootIsNoDirectory }
            ledger.note(.root, trail.root.identity, as: entry)
            return
        }
        if rules.hasWhiteouts, let whiteout = Whiteout(name) { return try apply(whiteout, path.parent) }
        let parent = try trail.open(path.parent)
        try trail.mark(in: &contents)
        switch entry.kind {
        case .directory: return try makeDirectory(path, name, parent, entry)
        case .regular: try makeFile(name, parent, entry, reader)
        case .hardLink: guard try makeLink(name, parent, entry) else { return }
        case .symbolicLink: try makeSymbolicLink(name, parent, entry)
        case .characterDevice, .blockDevice, .fifo:
            guard try makeNode(name, parent, entry) else { return }
        case .unknown:
            report.skippedUnknown += 1
            return
        }
        contents.insert(name, in: parent.identity)
    }

    // MARK: - Whiteouts

    private func apply(_ whiteout: Whiteout, _ parentPath: GuestPath) throws {
        if case .meaningless = whiteout { return }
        guard let parent = try trail.openIfPresent(parentPath) else { return }
        let removal = TreeRemoval(on: trail.mountID, sparing: contents)
        switch whiteout {
        case .hides(let name): try removal.remove(name, from: parent.directory, parent.identity)
        case .hidesAll: try removal.empty(parent.directory)
        case .meaningless: break
        }
        report.whiteouts += 1
        trail.reset()
    }

    /// Removes whatever has the name, so that something else can have it.
    private func clear(_ name: RawString, _ parent: OpenDirectory) throws(SystemError) {
        try TreeRemoval(on: trail.mountID).remove(name, from: parent.directory, parent.identity)
        // The trail may have led through it.
        trail.reset()
    }

    /// Calls `make`, and again when something that stood in the way has been removed.
    private func replacing(
        _ name: RawString, _ parent: OpenDirectory, _ make: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do { try make() } catch  where error.code == EEXIST {
            try clear(name, parent)
            try make()
        }
    }

    // MARK: - Kinds

    private func makeDirectory(
        _ path: GuestPath, _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws(SystemError) {
        try replacing(name, parent) { () throws(SystemError) in
            do throws(SystemError) {
                try syscall("mkdirat") { name.withCString { mkdirat(parent.directory.raw, $0, 0o700) } }
            } catch  where error.code == EEXIST {
                guard try parent.directory.status(name).kind == .directory else { throw error }
            }
        }
        let directory = try trail.open(path)
        try trail.mark(in: &contents)
        ledger.note(path, directory.identity, as: entry)
        report.directories += 1
    }

    private func makeFile(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry, _ reader: TarReader
    ) throws {
        var raw: Int32 = -1
        // O_EXCL: never an existing file, which may be a FIFO, a device or a second name of something else.
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let mode = EntryMetadata.firstMode(entry)
        try replacing(name, parent) { () throws(SystemError) in
            raw = try syscall("openat") {
                name.withCString { openat(parent.directory.raw, $0, flags, mode) }
            }
        }
        let file = FileDescriptor(adopting: raw)
        var position: Int64 = 0
        while let stretch = try reader.nextStretch() {
            if stretch.offset != position { try file.seek(to: stretch.offset) }
            try file.writeAll(stretch.bytes)
            position = stretch.offset + Int64(stretch.bytes.count)
        }
        if position < entry.size { try file.truncate(to: entry.size) }
        if parent.handsDownACL { try EntryMetadata.clearAttributes(file) }
        try EntryMetadata.apply(entry, to: file, &report)
        try file.close()
        report.files += 1
        report.bytes = report.bytes.saturating(adding: entry.size)
    }

    /// False when the link would be to itself.
    private func makeLink(_ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry) throws -> Bool {
        guard let target = rules.place(of: entry.linkTarget), let targetName = target.lastComponent else {
            throw LayerError.missingLinkTarget(member: entry.path, target: entry.linkTarget)
        }
        do {
            let source = try trail.openAside(target.parent)
            // Asked for first: what is in the way is only removed for a link that can be made.
            _ = try source.directory.status(targetName)
            if source.identity == parent.identity, targetName == name { return false }
            try link(targetName, in: source, to: name, in: parent)
        } catch {
            guard error.code == ENOENT || error.code == ENOTDIR else { throw error }
            throw LayerError.missingLinkTarget(member: entry.path, target: entry.linkTarget)
        }
        report.hardLinks += 1
        return true
    }

    /// Links the name itself, even where it is a symbolic link.
    private func link(
        _ old: RawString, in source: OpenDirectory, to new: RawString, in parent: OpenDirectory
    ) throws(SystemError) {
        try replacing(new, parent) { () throws(SystemError) in
            _ = try syscall("linkat", "") {
                old.withCString { old in
                    new.withCString { linkat(source.directory.raw, old, parent.directory.raw, $0, 0) }
                }
            }
        }
    }

    private func makeSymbolicLink(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws(SystemError) {
        try replacing(name, parent) { () throws(SystemError) in
            try parent.directory.makeSymbolicLink(name, to: entry.linkTarget)
        }
        try EntryMetadata.apply(entry, to: name, in: parent.directory, &report)
        report.symbolicLinks += 1
    }

    /// False when this user may not make it.
    private func makeNode(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws(SystemError) -> Bool {
        let type: mode_t =
            switch entry.kind {
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            default: S_IFIFO
            }
        do {
            try replacing(name, parent) { () throws(SystemError) in
                try parent.directory.makeNode(name, type | 0o600, major: entry.major, minor: entry.minor)
            }
        } catch  where error.code == EPERM {
            report.skippedSpecials += 1
            return false
        }
        try EntryMetadata.apply(entry, to: name, in: parent.directory, &report)
        report.specials += 1
        return true
    }
}
