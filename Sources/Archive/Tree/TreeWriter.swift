import CLinux
import Libc
import Platform

/// Writes entries into a tree, by descriptors only.
///
/// A path never leaves the root: its text has been cleaned, and its last component is never followed. What stands in
/// the way of an entry is replaced. What directories are to look like is done at the end. Nothing is flushed to the
/// disk; that is the caller's decision (syncfs(2)).
package final class TreeWriter {
    /// How something that is there already gives way.
    package enum Replacement: Sendable {
        /// It is removed first; links on the way to an entry are followed inside the root.
        case direct
        /// The new takes its place in one step: whoever looks sees the old or the new, whole.
        ///
        /// Directories give way to nothing, and nothing to directories: `EISDIR`, `EEXIST`. Nothing is followed: on
        /// the way to an entry are only directories that are there, whoever changes the tree meanwhile (`ENOTDIR`,
        /// `ENOENT`).
        case atomic
    }

    private let root: Directory
    private let trail: ParentTrail
    private let replacement: Replacement
    private let remembersRoot: Bool
    private let ledgerLimit: Int
    /// For looking at what is there, without leaving a trace in the ledger.
    private let glance: ParentTrail
    private var ledger = DirectoryLedger(limit: 0)
    /// What has been written since `begin`; `nil` when nobody wants to know.
    private var written: WrittenNames?
    /// What has been written since `begin`.
    package internal(set) var report = TreeReport()

    /// `directory` is the root of the tree; it may hold something already.
    ///
    /// With `remembersRoot`, the root that no entry describes keeps the time that it had.
    package convenience init(
        _ directory: consuming Directory, replacement: Replacement = .direct, remembersRoot: Bool = true
    ) throws(SystemError) {
        try self.init(
            directory, replacement: replacement, remembersRoot: remembersRoot, hasOpenat2: Kernel.hasOpenat2)
    }

    /// For tests: with `hasOpenat2` false, links are followed by a walk over the components; `ledgerLimit` is the
    /// memory for what directories are to become.
    package init(
        _ directory: consuming Directory, replacement: Replacement = .direct, remembersRoot: Bool = true,
        hasOpenat2: Bool, ledgerLimit: Int = 32 << 20
    ) throws(SystemError) {
        self.replacement = replacement
        self.remembersRoot = remembersRoot
        self.ledgerLimit = ledgerLimit
        root = directory
        let follows = replacement == .direct
        trail = try ParentTrail(
            Rootfs(adopting: try root.duplicate(), hasOpenat2: hasOpenat2), follows: follows)
        glance = try ParentTrail(
            Rootfs(adopting: try root.duplicate(), hasOpenat2: hasOpenat2), follows: follows)
        try begin()
    }

    /// Starts over: what has been written is from now on what was there before.
    ///
    /// `remembering` what is written costs memory; without it nothing can be removed by `removeEarlier`.
    package func begin(remembering: Bool = false) throws(SystemError) {
        written = remembering ? WrittenNames() : nil
        ledger = DirectoryLedger(limit: ledgerLimit)
        report = TreeReport()
        forget()
        trail.onArrival = { [unowned self] in ledger.noteExisting($0(), $1) }
        if remembersRoot { ledger.noteExisting(.root, try root.status()) }
    }

    /// Writes one entry with the data that `source` has for it.
    ///
    /// `link` is what a hard link means. After an error the entry is half done or not. Returns which file it has
    /// become, if it is one and that is known.
    @discardableResult
    package func write(
        _ entry: TarEntry, at path: GuestPath, link: LinkTarget? = nil, from source: any EntrySource
    ) throws -> FileIdentity? {
        if ledger.isFull { try settle() }
        do {
            return try make(entry, at: path, link, source)
        } catch let error as SystemError {
            throw Self.failure(error, entry.path)
        }
    }

    /// What a hard link is to be another name of.
    package struct LinkTarget {
        let path: GuestPath
        let isRight: ((FileStatus) -> Bool)?

        /// `isRight` is asked about what is there, where that is not certain.
        package init(_ path: GuestPath, where isRight: ((FileStatus) -> Bool)? = nil) {
            self.path = path
            self.isRight = isRight
        }
    }

    /// Gives all directories their final state.
    package func finish() throws -> TreeReport {
        try settle()
        return report
    }

    private func settle() throws(TreeError) {
        forget()
        try ledger.settle(by: glance, &report)
    }

    /// Names on the way may mean something else from now on.
    private func forget() {
        trail.reset()
        glance.reset()
    }

    private static func failure(_ error: SystemError, _ member: RawString) -> TreeError {
        switch error.code {
        case EXDEV, EBUSY: .mountPoint(member: member)
        default: .refused(member: member, error)
        }
    }

    private func make(
        _ entry: TarEntry, at path: GuestPath, _ link: LinkTarget?, _ source: any EntrySource
    ) throws -> FileIdentity? {
        guard let name = path.lastComponent else {
            guard entry.kind == .directory else { throw TreeError.rootIsNoDirectory }
            ledger.note(.root, trail.root.identity, as: entry)
            return nil
        }
        let parent = try trail.open(path.components.dropLast())
        try mark()
        var made: FileIdentity?
        switch entry.kind {
        case .directory:
            try makeDirectory(path, name, parent, entry)
            return nil
        case .regular: made = try makeFile(name, parent, entry, source)
        case .hardLink: guard try makeLink(name, parent, entry, link) else { return nil }
        case .symbolicLink: made = try makeSymbolicLink(name, parent, entry)
        case .characterDevice, .blockDevice, .fifo:
            guard try makeNode(name, parent, entry) else { return nil }
        case .unknown:
            report.skippedUnknown += 1
            return nil
        }
        written?.insert(name, in: parent.identity)
        return made
    }

    private func mark() throws(SystemError) {
        guard var names = written.take() else { return }
        defer { written = names }
        try trail.mark(in: &names)
    }

    // MARK: - What is there

    /// What has that name, unless something on the way to it is no directory.
    package func status(of path: GuestPath) throws(SystemError) -> FileStatus? {
        guard let name = path.lastComponent else { return try root.status() }
        return try glance.find(path.components.dropLast())?.directory.statusIfPresent(name)
    }

    /// The target of a symbolic link.
    package func linkTarget(of path: GuestPath) throws(SystemError) -> RawString? {
        guard let name = path.lastComponent else { return nil }
        return try glance.find(path.components.dropLast())?.directory.readSymbolicLink(name)
    }

    /// The attributes of what has that name, but for those that belong to the host.
    package func attributes(of path: GuestPath) throws(SystemError) -> [TarEntry.Attribute] {
        let name = path.lastComponent ?? "."
        guard let parent = try glance.find(path.components.dropLast()) else { return [] }
        var found: [TarEntry.Attribute] = []
        for attribute in try parent.directory.attributeNames(of: name)
        where TarEntry.Attribute.isWanted(attribute) {
            found.append(TarEntry.Attribute(attribute, try parent.directory.attribute(of: name, attribute)))
        }
        return found
    }

    /// Whether that is the name of something that a writer is not done with.
    package static func isTemporary(_ name: RawString) -> Bool { WholeFile.isTemporary(name) }

    /// The names in a directory; `nil` when it is none.
    package func names(in path: GuestPath) throws(SystemError) -> [Directory.Entry]? {
        try glance.find(path.components[...])?.directory.entries()
    }

    /// Opens the very file whose status was asked for before; `nil` when it is another by now.
    package func openFile(_ path: GuestPath, _ known: FileStatus) throws(SystemError) -> FileDescriptor? {
        guard let name = path.lastComponent, let parent = try glance.find(path.components.dropLast()) else {
            return nil
        }
        do {
            let file = try parent.directory.openFile(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let status = try file.status()
            guard FileIdentity(status) == FileIdentity(known), status.kind == .regular else { return nil }
            return file
        } catch  where [ENOENT, ELOOP, ENXIO].contains(error.code) {
            return nil
        }
    }

    /// Gives a file owner, mode, attributes and times of an entry, and leaves its content alone.
    ///
    /// False for a file with more names than one, which may not all be ours.
    package func adjust(_ file: borrowing FileDescriptor, to entry: TarEntry) throws -> Bool {
        do {
            guard try file.status().links == 1 else { return false }
            try EntryMetadata.clearAttributes(file, except: entry.attributes)
            try EntryMetadata.apply(entry, to: file, &report)
            return true
        } catch {
            throw Self.failure(error, entry.path)
        }
    }

    /// Removes what is there under that name, with all that is in it; `onDelete` is told each path in the tree.
    ///
    /// What its owner has made immutable stays (`EPERM`), with what it is in.
    package func delete(_ path: GuestPath, onDelete: @escaping (GuestPath) -> Void) throws {
        guard let name = path.lastComponent, let parent = try openIfPresent(path.components.dropLast()) else {
            return
        }
        defer { forget() }
        let removal = TreeRemoval(sparesImmutable: true) {
            onDelete(GuestPath(components: path.components + $0.components))
        }
        do throws(TreeRemovalError) { try removal.remove(name, from: parent.directory) } catch {
            throw Self.failure(
                error.cause, GuestPath(components: path.components + error.path.components).relative)
        }
    }

    /// Removes one name, when it still is that very file as it was, or that directory and empty; false when not.
    package func unlink(_ path: GuestPath, ifStill known: FileStatus) throws(SystemError) -> Bool {
        guard let name = path.lastComponent, let parent = try glance.find(path.components.dropLast()),
            let now = try parent.directory.statusIfPresent(name), FileIdentity(now) == FileIdentity(known),
            now.kind == known.kind
        else { return false }
        guard now.kind == .directory else {
            guard now.isUntouched(since: known) else { return false }
            try parent.directory.removeFile(name)
            return true
        }
        do { try parent.directory.removeDirectory(name) } catch  where error.code == ENOTEMPTY {
            return false
        }
        return true
    }

    // MARK: - Removing

    /// Removes what had that name before `begin`, and spares what has been written since.
    ///
    /// `member` is whose wish it is, for the words of an error.
    package func removeEarlier(_ name: RawString, in path: GuestPath, for member: RawString) throws {
        try removing(in: path, member) { parent throws(TreeRemovalError) in
            if written?.contains(name, in: parent.identity) != true { noteLoss(name, parent) }
            try TreeRemoval(sparing: written ?? WrittenNames()).remove(name, from: parent.directory)
        }
    }

    /// Removes all that was in a directory before `begin`, and spares what has been written since.
    package func removeEverythingEarlier(in path: GuestPath, for member: RawString) throws {
        try removing(in: path, member) { parent throws(TreeRemovalError) in
            report.grow(by: nil)
            try TreeRemoval(sparing: written ?? WrittenNames()).empty(parent.directory)
        }
    }

    /// Removes something that has been written.
    package func remove(_ path: GuestPath) throws {
        guard let name = path.lastComponent, let parent = try openIfPresent(path.components.dropLast()) else {
            return
        }
        do throws(TreeRemovalError) { try TreeRemoval().remove(name, from: parent.directory) } catch {
            throw Self.failure(error.cause, path.relative)
        }
        forget()
    }

    /// Removes a directory that has been written, unless something is in it.
    package func removeIfEmpty(_ path: GuestPath) throws {
        guard let name = path.lastComponent, let parent = try openIfPresent(path.components.dropLast()) else {
            return
        }
        do { try parent.directory.removeDirectory(name) } catch {
            guard [ENOTEMPTY, EEXIST, ENOENT, ENOTDIR].contains(error.code) else { throw error }
        }
        forget()
    }

    /// A directory in which something is to be removed, unless there is none.
    private func openIfPresent(_ path: ArraySlice<RawString>) throws(SystemError) -> OpenDirectory? {
        try glance.find(path) == nil ? nil : try trail.open(path)
    }

    private func removing(
        in path: GuestPath, _ member: RawString, _ body: (OpenDirectory) throws(TreeRemovalError) -> Void
    ) throws {
        do {
            guard let parent = try openIfPresent(path.components[...]) else { return }
            try body(parent)
        } catch let error as SystemError {
            throw Self.failure(error, member)
        } catch let error as TreeRemovalError {
            throw Self.failure(error.cause, member)
        }
        report.removals += 1
        forget()
    }

    /// Counts what the tree is about to lose.
    private func noteLoss(_ name: RawString, _ parent: OpenDirectory) {
        guard let status = try? parent.directory.statusIfPresent(name) else { return }
        switch status.kind {
        case .directory: report.grow(by: nil)
        case .regular, .symbolicLink: report.grow(by: status.links == 1 ? -status.size : 0)
        default: break
        }
    }

    /// Removes whatever has the name, so that something else can have it.
    private func clear(_ name: RawString, _ parent: OpenDirectory) throws(SystemError) {
        noteLoss(name, parent)
        do throws(TreeRemovalError) {
            try TreeRemoval().remove(name, from: parent.directory)
        } catch {
            throw error.cause
        }
        // The trail may have led through it.
        forget()
    }

    // MARK: - Making way

    /// Calls `make` with the name to use, and again when something that stood in the way has been removed.
    private func replacing(
        _ name: RawString, _ parent: OpenDirectory, _ make: (RawString) throws(SystemError) -> Void
    ) throws(SystemError) -> RawString {
        guard replacement == .direct else {
            let temporary = WholeFile.temporaryName()
            try make(temporary)
            return temporary
        }
        do { try make(name) } catch  where error.code == EEXIST {
            try clear(name, parent)
            try make(name)
        }
        return name
    }

    /// Gives what was made as `made` its name.
    private func settle(
        _ made: RawString, as name: RawString, _ parent: OpenDirectory
    ) throws(SystemError) {
        guard made != name else { return }
        try parent.directory.rename(made, to: parent.directory, name)
    }

    /// Calls `body`, and removes what was made beside the old when it fails.
    private func discarding<Value>(
        _ made: RawString, unless name: RawString, _ parent: OpenDirectory, _ body: () throws -> Value
    ) throws -> Value {
        do { return try body() } catch {
            if made != name { try? parent.directory.removeFile(made) }
            throw error
        }
    }

    // MARK: - Kinds

    private func makeDirectory(
        _ path: GuestPath, _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws(SystemError) {
        do {
            try Self.makeDirectory(name, parent)
        } catch  where error.code == EEXIST && replacement == .direct {
            try clear(name, parent)
            try Self.makeDirectory(name, parent)
        }
        let directory = try trail.open(path.components[...])
        try mark()
        ledger.note(path, directory.identity, as: entry)
        report.directories += 1
    }

    /// One that is there already will do.
    private static func makeDirectory(_ name: RawString, _ parent: OpenDirectory) throws(SystemError) {
        do {
            try syscall("mkdirat") { name.withCString { mkdirat(parent.directory.raw, $0, 0o700) } }
        } catch  where error.code == EEXIST {
            guard try parent.directory.status(name).kind == .directory else { throw error }
        }
    }

    private func makeFile(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry, _ source: any EntrySource
    ) throws -> FileIdentity? {
        var made: FileIdentity?
        if replacement == .atomic {
            report.grow(by: nil)
            sweep(parent)
            let mode = EntryMetadata.firstMode(entry)
            try WholeFile.make(name, in: parent.directory, mode: mode) { file in
                made = try write(to: file, entry, parent, source)
            }
        } else {
            made = try makeFileDirectly(name, parent, entry, source)
        }
        report.files += 1
        report.bytes = report.bytes.saturating(adding: entry.size)
        report.grow(by: entry.size)
        return made
    }

    private func sweep(_ parent: OpenDirectory) {
        guard !parent.isSwept else { return }
        WholeFile.sweep(parent.directory)
        parent.isSwept = true
    }

    private func makeFileDirectly(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry, _ source: any EntrySource
    ) throws -> FileIdentity {
        var raw: Int32 = -1
        // O_EXCL: never an existing file, which may be a FIFO, a device or a second name of something else.
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let mode = EntryMetadata.firstMode(entry)
        let made = try replacing(name, parent) { (name) throws(SystemError) in
            raw = try syscall("openat") {
                name.withCString { openat(parent.directory.raw, $0, flags, mode) }
            }
        }
        return try discarding(made, unless: name, parent) {
            let file = FileDescriptor(adopting: raw)
            let identity = try write(to: file, entry, parent, source)
            try file.close()
            try settle(made, as: name, parent)
            return identity
        }
    }

    private func write(
        to file: borrowing FileDescriptor, _ entry: TarEntry, _ parent: OpenDirectory,
        _ source: any EntrySource
    ) throws -> FileIdentity {
        try source.copyData(to: file)
        if let stored = entry.stored, stored.last.map({ $0.offset + $0.length }) ?? 0 < entry.size {
            try file.truncate(to: entry.size)
        }
        if parent.handsDownACL { try EntryMetadata.clearAttributes(file) }
        return FileIdentity(try EntryMetadata.apply(entry, to: file, &report))
    }

    /// False when the link would be to itself.
    private func makeLink(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry, _ target: LinkTarget?
    ) throws -> Bool {
        let missing = TreeError.missingLinkTarget(member: entry.path, target: entry.linkTarget)
        guard let target, let targetName = target.path.lastComponent else { throw missing }
        do {
            guard let source = try glance.find(target.path.components.dropLast()) else { throw missing }
            // Asked for first: what is in the way is only removed for a link that can be made.
            _ = try source.directory.status(targetName)
            if source.identity == parent.identity, targetName == name { return false }
            guard try link(targetName, in: source, to: name, in: parent, target.isRight) else {
                throw missing
            }
        } catch let error as SystemError {
            guard error.code == ENOENT || error.code == ENOTDIR else { throw error }
            throw missing
        }
        report.hardLinks += 1
        return true
    }

    /// Links the name itself, even where it is a symbolic link; false when it is not the right file.
    private func link(
        _ old: RawString, in source: OpenDirectory, to new: RawString, in parent: OpenDirectory,
        _ isRight: ((FileStatus) -> Bool)?
    ) throws -> Bool {
        let made = try replacing(new, parent) { (new) throws(SystemError) in
            try source.directory.link(old, to: parent.directory, new)
        }
        guard made != new else { return true }
        return try discarding(made, unless: new, parent) {
            // Looked at only now: the name may have been given to something else at any moment before.
            if let isRight, !isRight(try parent.directory.status(made)) {
                try parent.directory.removeFile(made)
                return false
            }
            try settle(made, as: new, parent)
            // Nothing is renamed where both are one file already (rename(2)).
            if try parent.directory.statusIfPresent(made) != nil { try parent.directory.removeFile(made) }
            return true
        }
    }

    private func makeSymbolicLink(
        _ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws -> FileIdentity? {
        let made = try replacing(name, parent) { (name) throws(SystemError) in
            try parent.directory.makeSymbolicLink(name, to: entry.linkTarget)
        }
        let identity = try discarding(made, unless: name, parent) {
            let identity = try describe(made, parent, entry)
            try settle(made, as: name, parent)
            return identity
        }
        report.symbolicLinks += 1
        report.grow(by: Int64(entry.linkTarget.bytes.count))
        return identity
    }

    /// Whoever may change the directory can have put something else in the place of the new link, which must not get
    /// its owner: only the link itself does then.
    private func describe(
        _ made: RawString, _ parent: OpenDirectory, _ entry: TarEntry
    ) throws(SystemError) -> FileIdentity? {
        guard replacement == .atomic else {
            try EntryMetadata.apply(entry, to: made, in: parent.directory, &report)
            return nil
        }
        let link = try parent.directory.openFile(made, cd_o_path)
        let status = try link.status()
        guard status.kind == .symbolicLink else { throw SystemError("symlinkat", "", code: ESTALE) }
        try EntryMetadata.apply(entry, to: made, in: parent.directory, opened: link.rawValue, &report)
        return FileIdentity(status)
    }

    /// False when this user may not make it.
    private func makeNode(_ name: RawString, _ parent: OpenDirectory, _ entry: TarEntry) throws -> Bool {
        let type: mode_t =
            switch entry.kind {
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            default: S_IFIFO
            }
        let made: RawString
        do {
            made = try replacing(name, parent) { (name) throws(SystemError) in
                try parent.directory.makeNode(name, type | 0o600, major: entry.major, minor: entry.minor)
            }
        } catch {
            guard error.code == EPERM else { throw error }
            report.skippedSpecials += 1
            return false
        }
        try discarding(made, unless: name, parent) {
            try EntryMetadata.apply(entry, to: made, in: parent.directory, &report)
            try settle(made, as: name, parent)
        }
        report.specials += 1
        return true
    }
}
