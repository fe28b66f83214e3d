import Archive
import CLinux
import Libc
import Platform

/// Compares a tree with the image that it was made of.
///
/// An inode that was last changed while the tree was made (`ctime`, which nobody can set) is what the image made of it, with the same name in the same directory: every change of content, metadata, names or place sets that time.
/// Only its directory may have been moved. So the image is asked about what was changed since, and about what lies
/// below a directory that may be another one than the image's; there, what has the same metadata is read.
package final class LayerDiff {
    private let reader: TreeReader
    private let made: Range<Timestamp>?
    private let always: Set<RawString>
    private let namesAspects: Bool
    private let makeImage: (_ isHashed: Bool) throws -> ImageTree
    private var tree: ImageTree?
    /// The same with hashes of all data.
    private var hashedTree: ImageTree?
    private let omissions: Omissions
    private var levels: [Level] = []
    private var linked: [FileIdentity: [LinkedName]] = [:]
    private var changes: [TreeChange] = []

    /// What is known of a directory that is being walked through.
    private struct Level {
        let path: RawString
        /// The image's directory of that path; `nil` when it has none.
        var image: Int?
        /// Whether it surely is the image's directory, and not one that was moved there.
        let isInPlace: Bool
        /// Whether names may have come or gone.
        let isExamined: Bool
        var seen: Set<RawString> = []
        /// Where in `changes` it is.
        var change: Int?
        var hasNewNames = false
    }

    /// One of several names of a file.
    private struct LinkedName {
        let path: RawString
        let status: FileStatus
        /// Whether the image has been asked about it; otherwise it is as the image has it.
        let isExamined: Bool
        var image: Int?
        var change: Int?
    }

    /// What the reader left out, in the order of the walk.
    private final class Omissions { var list: [(path: RawString, omission: TreeReader.Omission)] = [] }

    /// Paths that could not be looked at, and why.
    package private(set) var unreadable: [(path: RawString, error: SystemError)] = []

    /// Gets ready to compare what is below `directory`.
    ///
    /// `made` is the time in which the tree was made and nobody else touched it; without it everything is compared.
    /// What was changed before it is compared, too: then the clock has been set back since.
    /// Without `namesAspects`, the content of what differs otherwise is not read: that it was changed is known then.
    /// What is at the paths `always` is compared whenever it was changed. `image` is called when it is needed, once for a
    /// tree of any kind, and once for one that has the hashes of all data.
    package init(
        _ directory: consuming Directory, made: Range<Timestamp>?, always: Set<RawString> = [],
        namesAspects: Bool = true, image: @escaping (_ isHashed: Bool) throws -> ImageTree
    ) throws(SystemError) {
        var options = TreeReader.Options()
        options.readsAttributes = false
        options.readsContent = false
        options.groupsLinks = false
        let omissions = Omissions()
        self.omissions = omissions
        self.made = made
        self.always = always
        self.namesAspects = namesAspects
        makeImage = image
        reader = try TreeReader(directory, options) { omissions.list.append(($0, $1)) }
    }

    /// All changes, in the order of the tree.
    package func run() throws -> [TreeChange] {
        while let entry = try reader.next() {
            try settleOmissions()
            try close(downTo: Self.depth(entry.path))
            try examine(entry)
        }
        try settleOmissions()
        try close(downTo: 0)
        try compareLinks()
        return changes.sorted { TreeChange.isInOrder($0.path, $1.path) }
    }

    private func image() throws -> ImageTree {
        if let tree { return tree }
        let image = try makeImage(false)
        tree = image
        return image
    }

    /// The image's file at a path, with the hash of its data.
    private func hashed(_ path: RawString) throws -> ImageTree.File? {
        let image = try hashedTree ?? makeImage(true)
        hashedTree = image
        return image.find(GuestPath(path)).map { image[$0] }
    }

    private static func depth(_ path: RawString) -> Int {
        path == "." ? 0 : path.bytes.reduce(1) { $0 + ($1 == UInt8(ascii: "/") ? 1 : 0) }
    }

    private func isFresh(_ status: FileStatus) -> Bool {
        let time = status.changed
        let changed = Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
        return made.map { !$0.contains(changed) } ?? true
    }

    // MARK: - Entries

    private func examine(_ entry: TarEntry) throws {
        let isFresh = isFresh(reader.status) || always.contains(entry.path)
        guard let last = levels.indices.last else { return try examineRoot(entry, isFresh) }
        let name = entry.path.lastComponent
        if levels[last].isExamined { levels[last].seen.insert(name) }
        if levels[last].isInPlace, !isFresh {
            if entry.kind == .directory {
                levels.append(Level(path: entry.path, image: nil, isInPlace: true, isExamined: false))
            } else {
                note(entry.path, isExamined: false, image: nil, change: nil)
            }
            return
        }
        guard let known = try find(name, in: last) else { return try add(entry) }
        let file = try image()[known]
        let aspects = try self.aspects(of: entry, besides: file)
        let change = aspects.isEmpty ? nil : record(entry.path, .changed, aspects)
        guard entry.kind == .directory else {
            return note(entry.path, isExamined: true, image: known, change: change)
        }
        let isSame = file.kind == .directory
        let above = levels[last]
        levels.append(
            Level(
                path: entry.path, image: isSame ? known : nil,
                // Without a change of names above it nothing can have taken its place.
                isInPlace: isSame && above.isInPlace && !above.isExamined, isExamined: isSame,
                change: change))
    }

    private func examineRoot(_ entry: TarEntry, _ isFresh: Bool) throws {
        let file = isFresh ? try image()[ImageTree.root] : nil
        var aspects: TreeChange.Aspects = []
        if let file { aspects = try self.aspects(of: entry, besides: file) }
        let change = aspects.isEmpty ? nil : record(entry.path, .changed, aspects)
        levels.append(
            Level(
                path: entry.path, image: ImageTree.root, isInPlace: true, isExamined: isFresh,
                change: change))
    }

    private func add(_ entry: TarEntry) throws {
        levels[levels.count - 1].hasNewNames = true
        let change = record(entry.path, .added, [])
        guard entry.kind == .directory else {
            return note(entry.path, isExamined: true, image: nil, change: change)
        }
        levels.append(
            Level(path: entry.path, image: nil, isInPlace: false, isExamined: false, change: change))
    }

    /// The image's directory for a level; looked up when it is first asked for.
    private func imageDirectory(_ level: Int) throws -> Int? {
        if levels[level].image == nil, levels[level].isInPlace {
            levels[level].image = try image().find(GuestPath(levels[level].path))
        }
        return levels[level].image
    }

    /// The image's file with that name in the directory of a level.
    private func find(_ name: RawString, in level: Int) throws -> Int? {
        guard let directory = try imageDirectory(level) else { return nil }
        return try image().child(name, of: directory)
    }

    private func record(_ path: RawString, _ kind: TreeChange.Kind, _ aspects: TreeChange.Aspects) -> Int {
        let status = reader.status
        changes.append(
            TreeChange(
                path: path, kind: kind, file: status.kind, size: status.kind == .regular ? status.size : 0,
                aspects: aspects))
        return changes.count - 1
    }

    // MARK: - Comparing

    private func aspects(of entry: TarEntry, besides file: ImageTree.File) throws -> TreeChange.Aspects {
        guard entry.kind == file.kind else { return .type }
        // What goes away meanwhile is not what the image has.
        guard let entry = try reader.complete(entry) else { return .content }
        var aspects: TreeChange.Aspects = []
        if entry.kind != .symbolicLink, entry.permissions != file.permissions { aspects.insert(.permissions) }
        if entry.owner != file.owner || entry.group != file.group { aspects.insert(.owner) }
        if let time = file.modified, !Self.isSame(entry.modified, time) { aspects.insert(.time) }
        if entry.attributes.sorted(by: { $0.name < $1.name }) != file.attributes {
            aspects.insert(.attributes)
        }
        let isSame =
            switch entry.kind {
            case .symbolicLink: entry.linkTarget == file.target
            case .characterDevice, .blockDevice: (entry.major, entry.minor) == (file.major, file.minor)
            case .regular:
                try entry.size == file.size
                    && (!aspects.isEmpty && !namesAspects || hasContent(of: file, at: entry.path))
            default: true
            }
        if !isSame { aspects.insert(.content) }
        return aspects
    }

    private static func isSame(_ left: timespec, _ right: timespec) -> Bool {
        left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec
    }

    /// Whether the current file, which has the same size, has the same data.
    private func hasContent(of file: ImageTree.File, at path: RawString) throws -> Bool {
        if file.size == 0 { return true }
        guard let content = try ImageTree.isHashed(file) ? file.content : hashed(path)?.content else {
            return false
        }
        reader.select(file.stored)
        guard try ContentHash(of: reader) == content else { return false }
        guard let stored = file.stored else { return true }
        try reader.selectData(outside: stored)
        while let stretch = try reader.nextStretch() {
            guard stretch.bytes.allSatisfy({ $0 == 0 }) else { return false }
        }
        return true
    }

    // MARK: - Directories

    private func close(downTo depth: Int) throws {
        while levels.count > depth, let level = levels.popLast() {
            guard level.isExamined, let directory = level.image else { continue }
            let image = try image()
            let gone = image.names(in: directory).filter { !level.seen.contains($0) }
            let isEmptied = gone.count > 1 && gone.count == image.names(in: directory).count
            for name in gone {
                guard let file = image.child(name, of: directory) else { continue }
                changes.append(Self.deletion(of: image[file], name, in: level.path, isEmptied))
            }
            let hasOtherNames = level.hasNewNames || !gone.isEmpty
            if image[directory].modified == nil, hasOtherNames { markNames(level) }
        }
    }

    private func markNames(_ level: Level) {
        if let change = level.change { return changes[change].aspects.formUnion(.names) }
        changes.append(
            TreeChange(
                path: level.path, kind: .changed, file: .directory, size: 0, aspects: .names))
    }

    private static func deletion(
        of file: ImageTree.File, _ name: RawString, in directory: RawString, _ isEmptied: Bool
    ) -> TreeChange {
        let kind: FileStatus.Kind =
            switch file.kind {
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            default: .regular
            }
        return TreeChange(
            path: GuestPath(directory).appending(name).relative, kind: .deleted, file: kind,
            size: file.size, isOfEmptied: isEmptied)
    }

    /// What the reader made no entries of: sockets count, and what cannot be looked at is not gone.
    private func settleOmissions() throws {
        let list = omissions.list
        omissions.list = []
        for (path, omission) in list {
            switch omission {
            case .socket: try examineSocket(path)
            case .mountPoint: try see(path)
            case .unreadable(let error):
                try see(path)
                unreadable.append((path, error))
            case .vanished, .moved, .changed: break
            }
        }
    }

    private func see(_ path: RawString) throws {
        try close(downTo: Self.depth(path))
        if let last = levels.indices.last { levels[last].seen.insert(path.lastComponent) }
    }

    /// No layer has sockets.
    private func examineSocket(_ path: RawString) throws {
        try see(path)
        guard let last = levels.indices.last else { return }
        let known = try find(path.lastComponent, in: last)
        if known == nil { levels[last].hasNewNames = true }
        changes.append(
            TreeChange(
                path: path, kind: known == nil ? .added : .changed, file: .socket, size: 0,
                aspects: known == nil ? [] : .type))
    }

    // MARK: - Links

    private func note(_ path: RawString, isExamined: Bool, image: Int?, change: Int?) {
        let status = reader.status
        let imageLinks = image.flatMap { tree?[$0].links } ?? 1
        guard status.links > 1 || (isExamined && imageLinks > 1) else { return }
        linked[FileIdentity(status), default: []].append(
            LinkedName(path: path, status: status, isExamined: isExamined, image: image, change: change))
    }

    /// Names belong together as the image has it, or are changed, all of them.
    private func compareLinks() throws {
        for names in linked.values where names.contains(where: \.isExamined) {
            let image = try image()
            let files = names.map { name in name.isExamined ? name.image : image.find(GuestPath(name.path)) }
            guard let first = files.first, let status = names.first?.status else { continue }
            if let file = first, files.allSatisfy({ $0 == file }), image[file].links == names.count,
                status.links == UInt64(names.count)
            {
                continue
            }
            for name in names { markLinks(name) }
        }
    }

    private func markLinks(_ name: LinkedName) {
        if let change = name.change {
            if changes[change].kind == .changed { changes[change].aspects.insert(.links) }
            return
        }
        let status = name.status
        changes.append(
            TreeChange(
                path: name.path, kind: .changed, file: status.kind,
                size: status.kind == .regular ? status.size : 0, aspects: .links))
    }
}
