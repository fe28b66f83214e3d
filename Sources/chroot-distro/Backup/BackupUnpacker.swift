import Archive
import OCI
import Platform
import Store

/// Puts the members of one container's backup where they belong.
struct BackupUnpacker {
    private let container: RawString
    private let root: Root
    private let writer: TreeWriter
    /// What the root holds is the backup of this digest, and changes to it are what comes; `nil` for a whole one.
    private let base: Digest?
    private var links = EmulatedLinks()
    private var isBegun = false
    private var index: BackupIndex?
    /// The container's `manifest.json`, when there is one.
    private(set) var manifest: [UInt8]?
    /// Members that belong to nothing.
    private(set) var leftOut = 0
    /// Names of files that proot had emulated and that could not be made real.
    private(set) var brokenLinks = 0
    /// Whether the links that proot emulates are made real; what increments follow is left as it is.
    var makesLinksReal = true
    /// Told the name of each member that is written.
    var onMember: (RawString) -> Void = { _ in }

    /// `container` is the name in the archive; the root is empty, or holds the backup `base`.
    init(_ container: RawString, into root: consuming Directory, following base: Digest? = nil)
        throws(SystemError)
    {
        self.container = container
        self.base = base
        writer = try TreeWriter(try root.duplicate())
        self.root = Root(root)
    }

    /// A directory that a value with copies can have.
    private final class Root {
        let directory: Directory
        init(_ directory: consuming Directory) { self.directory = directory }
    }

    /// What is wrong with a backup as a whole.
    enum Flaw: Error {
        case anotherContainer(RawString, than: RawString)
        case noTree
        case badManifest
        /// An increment, where a whole backup is wanted.
        case increment
        /// A whole backup, where an increment is wanted.
        case whole
        /// An increment to another backup.
        case otherBase
        /// It does not say what of the base is still there.
        case badIndex
        /// A file is missing that neither the base nor the increment brought.
        case missing(RawString)

        /// The words for it, for an archive at `path`.
        func error(of path: HostPath) -> any UserFacing {
            switch self {
            case .anotherContainer(let other, let first):
                BackupError.severalContainers(path, first.text, other.text)
            case .noTree: BackupError.notABackup(path)
            case .badManifest: InstallError.badManifest(path)
            case .increment: BackupError.increment(path)
            case .whole: BackupError.noIncrement(path)
            case .otherBase: BackupError.otherBase(path)
            case .badIndex: BackupError.badArchive(path, "its list of files is damaged", hint: nil)
            case .missing(let file):
                BackupError.badArchive(path, "\(file) is in no backup, but should be", hint: nil)
            }
        }
    }

    mutating func take(_ entry: TarEntry, from reader: TarReader) throws {
        guard let (container, member) = BackupMember.read(entry.path) else { return }
        guard container == self.container else {
            throw Flaw.anotherContainer(container, than: self.container)
        }
        switch member {
        case .top: if entry.kind != .directory { leftOut += 1 }
        case .other: leftOut += 1
        case .manifest:
            // One that is too large is as bad as one that is none.
            if entry.kind == .regular {
                manifest = try reader.readData(limit: ContainerManifest.sizeLimit) ?? []
            }
        case .increment: try begin(reader)
        case .files where base == nil: leftOut += 1
        case .files:
            index = try reader.readData(limit: BackupIndex.sizeLimit).flatMap { BackupIndex($0) }
            guard index != nil else { throw Flaw.badIndex }
        case .change(let path):
            guard base != nil else { throw Flaw.increment }
            guard isBegun else { throw Flaw.otherBase }
            try write(entry, at: path, from: reader)
        case .tree(let path):
            guard base == nil else { throw Flaw.whole }
            isBegun = true
            try write(entry, at: path, from: reader)
            if makesLinksReal { links.note(entry, at: path) }
        }
    }

    /// Looks whether an increment is one to what the root holds.
    private mutating func begin(_ reader: TarReader) throws {
        guard let base else { throw Flaw.increment }
        let bytes = try reader.readData(limit: 1 << 16) ?? []
        guard let record = try? JSONDecoder().decode(IncrementRecord.self, from: bytes), record.base == base
        else { throw Flaw.otherBase }
        isBegun = true
    }

    private func write(_ entry: TarEntry, at path: GuestPath, from reader: TarReader) throws {
        onMember(entry.path)
        try writer.write(entry, at: path, link: target(of: entry).map { .init($0) }, from: reader)
    }

    /// Where a hard link leads; `nil` when that is outside the root.
    private func target(of entry: TarEntry) -> GuestPath? {
        guard entry.kind == .hardLink, let (container, member) = BackupMember.read(entry.linkTarget),
            container == self.container
        else { return nil }
        switch member {
        case .tree(let path): return base == nil ? path : nil
        case .change(let path): return base == nil ? nil : path
        default: return nil
        }
    }

    mutating func finish() throws -> TreeReport {
        guard isBegun else { throw base == nil ? Flaw.noTree : Flaw.whole }
        if let manifest, (try? ContainerManifest(json: manifest)) == nil { throw Flaw.badManifest }
        if base != nil {
            guard let index else { throw Flaw.badIndex }
            do { try removeAllBut(index) } catch is BackupIndex.Damage { throw Flaw.badIndex }
        } else if makesLinksReal {
            brokenLinks = try links.makeReal(with: writer)
        }
        return try writer.finish()
    }

    // MARK: - What is gone

    /// Removes what the base had and the index has not.
    ///
    /// Nothing is removed by a name that the archive gives: the tree is read, and what is not listed goes.
    private func removeAllBut(_ index: BackupIndex) throws {
        for path in try unlisted(index) { try writer.remove(path) }
    }

    private func unlisted(_ index: BackupIndex) throws -> [GuestPath] {
        var options = TreeReader.Options()
        (options.readsContent, options.readsAttributes, options.groupsLinks) = (false, false, false)
        let reader = try TreeReader(try root.directory.duplicate(), as: .root, options)
        var listed = index.cursor()
        var hasListed = try listed.next()
        var gone: [GuestPath] = []
        while let entry = try reader.next() {
            let path = entry.path == "." ? [] : entry.path.bytes
            while hasListed, BackupIndex.isInOrder(listed.path, path) {
                try requireSpecial(listed)
                hasListed = try listed.next()
            }
            if hasListed, listed.path == path {
                guard listed.isDirectory == (entry.kind == .directory) else { throw Flaw.missing(entry.path) }
                hasListed = try listed.next()
            } else if path.isEmpty {
                throw Flaw.badIndex
            } else {
                gone.append(GuestPath(entry.path))
                reader.skipChildren()
            }
        }
        while hasListed {
            try requireSpecial(listed)
            hasListed = try listed.next()
        }
        return gone
    }

    /// What is listed and not there may only be what this user may not make.
    private func requireSpecial(_ file: BackupIndex.Cursor) throws {
        guard !file.isSpecial else { return }
        throw Flaw.missing(RawString(bytes: file.path) ?? "")
    }
}
