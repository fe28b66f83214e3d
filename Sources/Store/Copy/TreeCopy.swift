import Archive
import CLinux
import Libc
import Platform

/// Carries a copy out: what the reader has goes to the writer, entry by entry.
///
/// An entry that cannot be copied does not keep the others from it; a disk that is full does.
final class TreeCopy {
    /// How each entry is treated.
    struct Rules {
        var owner = OwnerRule.kept
        /// Whether what is equal already is left alone.
        var isSync = false
        var comparesContent = false
        var deletes = false
        /// Whether the entry of the root itself means nothing: the destination stays as it is.
        var sparesRoot = false
        /// Whether everything is remembered that the source may lose afterwards.
        var remembers = false
    }

    /// An entry of the source that has arrived.
    struct Arrived {
        let path: GuestPath
        let status: FileStatus
    }

    /// The name at the destination under which a file with several was written, or found.
    private struct Head {
        let path: GuestPath
        let identity: FileIdentity
        let entry: TarEntry
        let size: Int64
    }

    private let rules: Rules
    private let writer: TreeWriter
    private let reader: TreeReader
    private let journal: Journal
    /// What is made first, and must not be copied into itself.
    private var destination: FileIdentity?
    /// The files with several names, by the first of them in the source: what others can be linked to.
    private var heads: [RawString: Head] = [:]
    /// What the source does not have, found as its directories are listed.
    private var extras: [GuestPath] = []
    private(set) var arrived: [Arrived] = []

    var report: CopyReport { journal.report }

    /// Counts, and tells of, what happens.
    final class Journal {
        var report = CopyReport()
        private let tell: (CopyReport.Event, RawString) -> Void

        init(_ tell: @escaping (CopyReport.Event, RawString) -> Void) { self.tell = tell }

        func note(_ event: CopyReport.Event, _ path: RawString) {
            report.count(event)
            tell(event, path)
        }
    }

    /// What the reader leaves out, in the words of the journal.
    static func omission(_ omission: TreeReader.Omission) -> CopyReport.Event {
        switch omission {
        case .socket: .leftOut
        case .vanished: .vanished
        case .changed: .changed
        case .moved: .failed(reason: "it was moved elsewhere before all of it was read")
        case .mountPoint: .failed(reason: "something is mounted there")
        case .unreadable(let error): .failed(reason: error.reason)
        }
    }

    /// Sync looks at names and status first, and opens only what is to be copied.
    static func options(isSync: Bool) -> TreeReader.Options {
        var options = TreeReader.Options()
        options.isSorted = false
        options.readsContent = !isSync
        options.readsAttributes = !isSync
        return options
    }

    /// `destination` is the directory that the source is copied to, where that is there already.
    init(
        _ rules: Rules, from reader: TreeReader, to writer: TreeWriter, _ journal: Journal,
        destination: FileIdentity?
    ) {
        self.rules = rules
        self.destination = destination
        self.reader = reader
        self.writer = writer
        self.journal = journal
    }

    func run() throws {
        if rules.deletes { reader.onListing = { [unowned self] in compare($0, $1) } }
        do {
            while let entry = try reader.next() { try copy(entry) }
            try deleteExtras()
        } catch {
            // What has been made so far shall not stay as private as it was begun.
            _ = try? writer.finish()
            throw error
        }
        journal.report.lost = try writer.finish().summary
    }

    // MARK: - Entries

    private func copy(_ entry: TarEntry) throws {
        let path = GuestPath(entry.path)
        if rules.sparesRoot, path.components.isEmpty { return }
        do {
            try copy(entry, at: path)
        } catch {
            guard let reason = Self.reason(error) else { throw error }
            fail(entry, reason)
        }
        if destination == nil { destination = try writer.status(of: path).map { FileIdentity($0) } }
    }

    /// What concerns one entry alone, in words; `nil` for what will not be better with the next one.
    private static func reason(_ error: any Error) -> String? {
        let cause: SystemError
        switch error {
        case let error as SystemError: cause = error
        case TreeError.refused(_, let error): cause = error
        case let error as TreeError: return error.message
        default: return nil
        }
        let hopeless = [ENOSPC, EDQUOT, EROFS, EIO, EMFILE, ENFILE, ENOMEM]
        return hopeless.contains(cause.code) ? nil : "\(cause.reason) (\(cause.call))"
    }

    private func fail(_ entry: TarEntry, _ reason: String) {
        if entry.kind == .directory { reader.skipChildren() }
        journal.note(.failed(reason: reason), entry.path)
    }

    private func copy(_ listed: TarEntry, at path: GuestPath) throws {
        if entryIsDestination() { return fail(listed, "it cannot be copied into itself") }
        switch reader.status.kind {
        case .regular, .directory, .symbolicLink: break
        default: return journal.note(.leftOut, listed.path)
        }
        var wanted = listed
        wanted.accessed = reader.status.accessed
        rules.owner.apply(to: &wanted)
        let there = try writer.status(of: path)
        if let there, let reason = try conflict(listed, there, path) { return fail(listed, reason) }
        if let there, rules.isSync, try isCurrent(wanted, there, path) {
            return remember(path)
        }
        try write(listed, at: path, isNew: there == nil)
    }

    private func entryIsDestination() -> Bool {
        destination == FileIdentity(reader.status) && reader.status.kind == .directory
    }

    /// Why the entry cannot have the place of what is there.
    private func conflict(
        _ entry: TarEntry, _ there: FileStatus, _ path: GuestPath
    ) throws -> String? {
        if FileIdentity(there) == FileIdentity(reader.status), !rules.isSync { return "it is the same file" }
        switch (entry.kind == .directory, there.kind) {
        case (true, .directory), (false, .regular), (false, .symbolicLink): return nil
        case (_, let kind):
            guard rules.deletes, !path.components.isEmpty else {
                return "there is \(Self.words(kind)) in its place"
            }
            try writer.delete(path) { [journal] in journal.note(.deleted, $0.relative) }
            return nil
        }
    }

    private static func words(_ kind: FileStatus.Kind) -> String {
        switch kind {
        case .directory: "a directory"
        case .regular: "a file"
        case .symbolicLink: "a symbolic link"
        case .characterDevice, .blockDevice: "a device"
        case .fifo: "a FIFO"
        case .socket: "a socket"
        case .other: "something else"
        }
    }

    private func write(_ listed: TarEntry, at path: GuestPath, isNew: Bool) throws {
        let isLinked = try link(listed, at: path)
        guard var entry = try reader.complete(listed, alone: !isLinked) else { return }
        entry.accessed = reader.status.accessed
        rules.owner.apply(to: &entry)
        if !isLinked {
            let identity = try writer.write(entry, at: path, from: reader)
            noteHead(listed, entry, path, identity)
        }
        if Self.isPrivileged(entry) { journal.report.privileged += 1 }
        let kind = reader.status.kind
        // Of a directory that was there only what it looks like has been changed.
        let isAdjusted = kind == .directory && !isNew
        journal.note(
            isLinked
                ? .linked : isAdjusted ? .adjusted : .copied(kind, isNew: isNew, size: entry.size),
            entry.path)
        remember(path)
    }

    /// Makes another name of a file that has been copied; false where there is none, or where the file system has no
    /// hard links, or has enough of them.
    private func link(_ entry: TarEntry, at path: GuestPath) throws -> Bool {
        guard entry.kind == .hardLink, let head = heads[entry.linkTarget] else { return false }
        let target = TreeWriter.LinkTarget(head.path) {
            // Another copy may be writing the very same.
            FileIdentity($0) == head.identity
                || ($0.size == head.size && $0.permissions == head.entry.permissions
                    && Self.looksLike(head.entry, $0))
        }
        do {
            try writer.write(entry, at: path, link: target, from: reader)
            return true
        } catch TreeError.missingLinkTarget {
            return false
        } catch TreeError.refused(_, let error) where [EPERM, EOPNOTSUPP, EMLINK].contains(error.code) {
            return false
        }
    }

    /// Notes that other names of the file can be linked to this one, which is that file at the destination.
    private func noteHead(
        _ listed: TarEntry, _ entry: TarEntry, _ path: GuestPath, _ identity: FileIdentity?
    ) {
        guard reader.status.links > 1, let identity else { return }
        heads[listed.kind == .hardLink ? listed.linkTarget : listed.path] = Head(
            path: path, identity: identity, entry: entry, size: reader.status.size)
    }

    private static func isPrivileged(_ entry: TarEntry) -> Bool {
        entry.kind == .regular
            && (entry.permissions & 0o6000 != 0
                || entry.attributes.contains { $0.name == "security.capability" })
    }

    private func remember(_ path: GuestPath) {
        if rules.remembers { arrived.append(Arrived(path: path, status: reader.status)) }
    }

    // MARK: - Comparing

    /// Whether there is nothing to copy; what is not quite right is put right.
    private func isCurrent(_ entry: TarEntry, _ there: FileStatus, _ path: GuestPath) throws -> Bool {
        switch entry.kind {
        case .hardLink where heads[entry.linkTarget] != nil:
            return heads[entry.linkTarget]?.identity == FileIdentity(there)
        case .symbolicLink:
            guard there.kind == .symbolicLink, Self.looksLike(entry, there),
                try writer.linkTarget(of: path) == entry.linkTarget, try hasSameAttributes(entry, path)
            else { return false }
            noteHead(entry, entry, path, FileIdentity(there))
            return true
        case .directory:
            guard there.permissions == entry.permissions, Self.looksLike(entry, there) else { return false }
            return try hasSameAttributes(entry, path)
        case .regular, .hardLink:
            guard there.kind == .regular, reader.status.kind == .regular, there.size == reader.status.size,
                try hasSameContent(entry, there, path)
            else { return false }
            if there.permissions == entry.permissions, Self.looksLike(entry, there),
                try hasSameAttributes(entry, path)
            {
                noteHead(entry, entry, path, FileIdentity(there))
                return true
            }
            return try adjust(entry, there, path)
        default: return true
        }
    }

    private func hasSameAttributes(_ entry: TarEntry, _ path: GuestPath) throws -> Bool {
        var wanted = entry
        wanted.attributes = try reader.currentAttributes()
        rules.owner.apply(to: &wanted)
        let there = try writer.attributes(of: path)
        return wanted.attributes.count == there.count && Set(wanted.attributes) == Set(there)
    }

    private static func looksLike(_ entry: TarEntry, _ there: FileStatus) -> Bool {
        there.owner == entry.owner && there.group == entry.group
            && hasSameTime(entry, there)
    }

    /// Some file systems and programs keep whole seconds only.
    private static func hasSameTime(_ entry: TarEntry, _ there: FileStatus) -> Bool {
        there.modified.tv_sec == entry.modified.tv_sec
            && (there.modified.tv_nsec == entry.modified.tv_nsec || there.modified.tv_nsec == 0)
    }

    private func hasSameContent(
        _ entry: TarEntry, _ there: FileStatus, _ path: GuestPath
    ) throws -> Bool {
        guard rules.comparesContent else { return Self.hasSameTime(entry, there) }
        guard try reader.complete(entry, alone: true) != nil, let other = try writer.openFile(path, there)
        else {
            return false
        }
        return try reader.hasData(of: other)
    }

    private func adjust(_ listed: TarEntry, _ there: FileStatus, _ path: GuestPath) throws -> Bool {
        guard there.links == 1, reader.status.links == 1, var entry = try reader.complete(listed),
            let file = try writer.openFile(path, there)
        else { return false }
        entry.accessed = there.accessed
        rules.owner.apply(to: &entry)
        guard try writer.adjust(file, to: entry) else { return false }
        journal.note(.adjusted, entry.path)
        return true
    }

    // MARK: - Deleting

    /// Notes what the destination has in a directory and the source has not.
    private func compare(_ directory: RawString, _ entries: [Directory.Entry]) {
        let path = GuestPath(directory)
        guard let there = try? writer.names(in: path) else { return }
        let names = Set(entries.map(\.name))
        for entry in there where !names.contains(entry.name) && !TreeWriter.isTemporary(entry.name) {
            extras.append(path.appending(entry.name))
        }
    }

    private func deleteExtras() throws {
        // Where not everything could be read, nobody knows what is missing there.
        guard journal.report.failures == 0 else { return }
        for path in extras {
            do {
                try writer.delete(path) { [journal] in journal.note(.deleted, $0.relative) }
            } catch {
                guard let reason = Self.reason(error) else { throw error }
                var member = path.relative
                if case TreeError.refused(let inner, _) = error { member = inner }
                journal.note(.failed(reason: reason), member)
            }
        }
    }
}
