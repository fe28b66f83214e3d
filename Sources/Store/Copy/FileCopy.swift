import Archive
import CLinux
import Libc
import Platform

/// Copying, moving or syncing between two roots: containers, or this host.
///
/// Everything is reached through the two roots, so that no symbolic link in a container leads out of it, whoever
/// changes it meanwhile.
package struct FileCopy: ~Copyable {
    private let request: CopyRequest
    private let owner: OwnerRule
    private let source: Rootfs
    private let destination: Rootfs

    /// `source` and `destination` are the roots that the places of the request are in.
    package init(
        _ request: CopyRequest, owner: OwnerRule, from source: consuming Rootfs,
        to destination: consuming Rootfs
    ) {
        self.request = request
        self.owner = owner
        self.source = source
        self.destination = destination
    }

    /// What both places have turned out to be.
    private struct Findings {
        let plan: CopyPlan
        let source: FileLookup.Found
        let kind: FileStatus
        let destination: FileLookup.Found
        /// The name in the directory that is written to; the root stands for the directory itself.
        let name: GuestPath
    }

    /// Does it; `tell` hears what becomes of each entry, with its path below the directory that is written to.
    ///
    /// What was to be moved is only removed when the report is that of a whole copy.
    package borrowing func run(
        _ tell: @escaping (CopyReport.Event, RawString) -> Void
    ) throws -> CopyReport {
        let found = try look()
        let target = try openTarget(found)
        try checkOverlap(found, target)
        if request.isMove, try rename(found, target) {
            var report = CopyReport()
            report.count(.copied(found.kind.kind, isNew: true, size: 0))
            return report
        }
        let journal = TreeCopy.Journal(tell)
        let copy = TreeCopy(
            try rules(found, target), from: try reader(found, journal),
            to: try TreeWriter(
                try target.duplicate(), replacement: .atomic,
                remembersRoot: request.isSync && !sparesRoot(found, target)),
            journal, destination: found.name == .root ? FileIdentity(try target.status()) : nil)
        try copy.run()
        let report = copy.report
        if report.isEmpty, report.vanished > 0, found.kind.kind != .directory {
            throw CopyError.missing(request.source)
        }
        if request.isMove, report.isWhole { try removeSource(found, copy, target) }
        return report
    }

    // MARK: - Looking

    private borrowing func look() throws(CopyError) -> Findings {
        let place = request.source
        let from = try FileLookup.find(
            place, in: source, following: !request.isMove || place.namesDirectory)
        guard let status = from.status else {
            if let link = from.link { throw .dangling(place, link) }
            throw .missing(place)
        }
        let to = try FileLookup.find(request.destination, in: destination, following: true)
        if to.status == nil, let link = to.link { throw .dangling(request.destination, link) }
        let plan = try CopyPlan(request, source: status.kind, destination: to.status?.kind)
        let name: GuestPath =
            switch plan.arrival {
            case .contents: .root
            case .into(let name): GuestPath(components: [name])
            case .asNamed: GuestPath(components: to.path.components.suffix(1))
            }
        return Findings(plan: plan, source: from, kind: status, destination: to, name: name)
    }

    /// The directory that is written to.
    private borrowing func openTarget(_ found: Findings) throws(CopyError) -> Directory {
        do throws(SystemError) {
            guard found.plan.arrival == .asNamed else {
                return try destination.openDirectory(found.destination.path)
            }
            return try FileLookup.openOrMake(
                found.destination.path.parent, in: destination, owner: owner.ofParents)
        } catch {
            throw .refused(request.destination, error)
        }
    }

    // MARK: - Overlaps

    private borrowing func checkOverlap(_ found: Findings, _ target: borrowing Directory) throws {
        let identity = FileIdentity(found.kind)
        let there = try Self.status(found.name, in: target)
        if let there, FileIdentity(there) == identity, !request.isSync || found.kind.kind == .directory {
            throw CopyError.same(request.source, request.destination)
        }
        if request.isMove, there?.kind == .directory || (there != nil && found.kind.kind == .directory) {
            throw CopyError.taken(newName(found))
        }
        guard found.kind.kind == .directory else { return }
        if try Self.lineage(target).contains(identity) {
            throw CopyError.intoItself(request.source, request.destination)
        }
        guard request.deletes, let there else { return }
        let inside = try source.openDirectory(found.source.path)
        if try Self.lineage(inside).contains(FileIdentity(there)) {
            throw CopyError.sourceInDestination(request.source, request.destination)
        }
    }

    /// What is there now; the root stands for the directory itself.
    private static func status(
        _ name: GuestPath, in directory: borrowing Directory
    ) throws(SystemError) -> FileStatus? {
        guard let name = name.lastComponent else { return try directory.status() }
        return try directory.statusIfPresent(name)
    }

    private borrowing func newName(_ found: Findings) -> RawString {
        guard case .into(let name) = found.plan.arrival else { return request.destination.text }
        let bytes = request.destination.text.bytes
        let isOpen = [UInt8(ascii: "/"), UInt8(ascii: ":")].contains(bytes.last)
        return RawString(bytes: bytes + (isOpen ? [] : [UInt8(ascii: "/")]) + name.bytes) ?? name
    }

    /// A directory and all above it.
    private static func lineage(_ directory: borrowing Directory) throws(SystemError) -> Set<FileIdentity> {
        var current = try directory.duplicate()
        var lineage: Set<FileIdentity> = []
        while lineage.insert(FileIdentity(try current.status())).inserted {
            current = try current.openDirectory("..")
        }
        return lineage
    }

    // MARK: - Copying

    private borrowing func rules(_ found: Findings, _ target: borrowing Directory) throws -> TreeCopy.Rules {
        var rules = TreeCopy.Rules()
        rules.owner = owner
        rules.isSync = request.isSync
        rules.comparesContent = request.comparesContent
        rules.deletes = request.deletes
        rules.sparesRoot = try sparesRoot(found, target)
        rules.remembers = request.isMove
        return rules
    }

    /// Whether the directory that is written to keeps its own owner, mode and time.
    ///
    /// What somebody copies *into* it is not meant to make it theirs, least of all the root of a system.
    private borrowing func sparesRoot(_ found: Findings, _ target: borrowing Directory) throws -> Bool {
        guard request.isSync else { return true }
        let isRoot = FileIdentity(try target.status()) == FileIdentity(try destination.directory.status())
        let root = FileIdentity(try source.directory.status())
        return isRoot && (request.source.container == nil || FileIdentity(found.kind) != root)
    }

    private borrowing func reader(
        _ found: Findings, _ journal: TreeCopy.Journal
    ) throws(CopyError) -> TreeReader {
        let options = TreeCopy.options(isSync: request.isSync)
        let omitted = { (path: RawString, omission: TreeReader.Omission) in
            journal.note(TreeCopy.omission(omission), path)
        }
        let path = found.source.path
        do throws(SystemError) {
            guard found.kind.kind != .directory, let name = path.lastComponent else {
                return try TreeReader(
                    try source.openDirectory(path), as: found.name, options, onOmission: omitted)
            }
            return try TreeReader(
                only: name, in: try source.openDirectory(path.parent), as: found.name, options,
                onOmission: omitted)
        } catch {
            // It was there a moment ago.
            throw error.code == ENOENT ? .missing(request.source) : .refused(request.source, error)
        }
    }

    // MARK: - Moving

    /// Inside one container a new name is enough; false where it is not.
    ///
    /// Never between the host and a container: a file may have more names than the one that is moved, and then both
    /// would have the same file.
    private borrowing func rename(_ found: Findings, _ target: borrowing Directory) throws -> Bool {
        guard request.source.room == request.destination.room, owner.keepsAll,
            let old = found.source.path.lastComponent, let new = found.name.lastComponent
        else { return false }
        let parent = try source.openDirectory(found.source.path.parent)
        do {
            try parent.rename(old, to: target, new)
        } catch {
            switch error.code {
            case EXDEV: return false
            case EEXIST, ENOTEMPTY, EISDIR, ENOTDIR: throw CopyError.taken(newName(found))
            case EINVAL: throw CopyError.intoItself(request.source, request.destination)
            default: throw CopyError.refused(request.source, error)
            }
        }
        try target.synchronize()
        try parent.synchronize()
        return true
    }

    /// Removes what has arrived and is on the disk, as far as it still is what was copied.
    private borrowing func removeSource(
        _ found: Findings, _ copy: TreeCopy, _ target: borrowing Directory
    ) throws {
        let raw = target.raw
        try syscall("syncfs", request.destination.description) { cd_syncfs(raw) }
        guard let name = found.source.path.lastComponent else { return }
        let parent = try source.openDirectory(found.source.path.parent)
        let remover = try TreeWriter(parent, replacement: .atomic, remembersRoot: false)
        var left = 0
        for entry in copy.arrived.reversed() {
            let below = entry.path.components.dropFirst(found.name.components.count)
            let isGone = try remover.unlink(
                GuestPath(components: [name] + below), ifStill: entry.status)
            if !isGone { left += 1 }
        }
        if left > 0 { throw CopyError.leftBehind(left, request.source) }
    }
}
