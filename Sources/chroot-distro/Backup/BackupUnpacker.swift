import Archive
import Platform
import Store

/// Puts the members of one container's backup where they belong.
struct BackupUnpacker {
    private let container: RawString
    private let writer: TreeWriter
    private var links = EmulatedLinks()
    private var hasTree = false
    /// The container's `manifest.json`, when there is one.
    private(set) var manifest: [UInt8]?
    /// Members that belong to nothing.
    private(set) var leftOut = 0
    /// Names of files that proot had emulated and that could not be made real.
    private(set) var brokenLinks = 0
    /// Told the name of each member that is written.
    var onMember: (RawString) -> Void = { _ in }

    /// `container` is the name in the archive; the root is empty.
    init(_ container: RawString, into root: consuming Directory) throws(SystemError) {
        self.container = container
        writer = try TreeWriter(root)
    }

    /// What is wrong with a backup as a whole.
    enum Flaw: Error {
        case anotherContainer(RawString, than: RawString)
        case noTree
        case badManifest

        /// The words for it, for an archive at `path`.
        func error(of path: HostPath) -> any UserFacing {
            switch self {
            case .anotherContainer(let other, let first):
                BackupError.severalContainers(path, first.text, other.text)
            case .noTree: BackupError.notABackup(path)
            case .badManifest: InstallError.badManifest(path)
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
        case .tree(let path):
            hasTree = true
            onMember(entry.path)
            try writer.write(entry, at: path, link: target(of: entry).map { .init($0) }, from: reader)
            links.note(entry, at: path)
        }
    }

    /// Where a hard link leads; `nil` when that is outside the root.
    private func target(of entry: TarEntry) -> GuestPath? {
        guard entry.kind == .hardLink, let (container, member) = BackupMember.read(entry.linkTarget),
            container == self.container, case .tree(let path) = member
        else { return nil }
        return path
    }

    mutating func finish() throws -> TreeReport {
        guard hasTree else { throw Flaw.noTree }
        if let manifest, (try? ContainerManifest(json: manifest)) == nil { throw Flaw.badManifest }
        brokenLinks = try links.makeReal(with: writer)
        return try writer.finish()
    }
}
