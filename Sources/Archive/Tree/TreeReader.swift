import CLinux
import Libc
import Platform

/// Reads a tree, one entry at a time and by descriptors only: never through a symbolic link, never across a mount.
///
/// A directory comes before what is in it. The tree may change meanwhile: what vanishes is left out, and whatever
/// happens nothing outside is read. The number of open directories does not depend on the tree.
package final class TreeReader: EntrySource {
    /// What is to be read.
    package struct Options: Sendable {
        /// Whether each directory is read in the order of its names, so that equal trees read equally.
        package var isSorted = true
        /// Whether extended attributes are read; the host's labels never are.
        package var readsAttributes = true
        /// Whether the data of regular files is read: they are opened as they come, and their holes are found.
        ///
        /// Without it only names and metadata are looked at.
        package var readsContent = true
        /// Whether the later names of a file are `hardLink` to its first.
        package var groupsLinks = true

        package init() {}
    }

    /// Why something in the tree became no entry, or one that is not whole.
    package enum Omission: Hashable, Sendable {
        case socket
        /// It went away, or became something else, while the tree was read.
        case vanished
        /// A directory of which only a part was read: it was taken elsewhere meanwhile.
        case moved
        /// Something is mounted on it.
        case mountPoint
        case unreadable(SystemError)
        /// It was written to while it was read; the entry has been read all the same.
        case changed
    }

    private struct Level {
        let name: RawString
        /// How much of `path` is its own.
        let length: Int
        let identity: FileIdentity
        /// `nil` once it had to make room.
        var handle: DirectoryHandle?
        /// The last one is the next.
        var entries: [Directory.Entry]
    }

    /// The names of one file, of which the first has been read.
    private struct LinkGroup {
        let path: RawString
        /// As it was then.
        let status: FileStatus
        /// Names that are still to come.
        var left: UInt64
    }

    /// Bytes that are read at once.
    private static let bufferSize = 1 << 18
    /// Directories that stay open at most, besides the root.
    private static let limit = 64

    private let options: Options
    private let hasOpenat2: Bool
    private let mount: UInt64
    private let onOmission: (RawString, Omission) -> Void
    private var root: DirectoryHandle?
    /// What alone is read of the root, instead of itself.
    private var only: RawString?
    /// The path of the current entry, or of what becomes none: one for all levels, since a tree can be deeper than any
    /// path is long.
    private var path: [UInt8]
    private var levels: [Level] = []
    /// The directory that was returned last, whose entries come next.
    private var pending: Level?
    private var links: [FileIdentity: LinkGroup] = [:]
    var file: TreeFile?
    /// The current entry, once it is complete.
    private var whole: TarEntry?
    /// Whether files can be shared with the place that they are copied to, as far as is known.
    private var clones = true
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 4096)
    /// 0 where it is not permitted to read without a trace (open(2), O_NOATIME).
    private var noTrace = geteuid() == 0 ? cd_o_noatime : 0

    /// The status of the current entry.
    package private(set) var status: FileStatus
    /// The path of the current entry.
    var currentPath: RawString { path.isEmpty ? "." : RawString(bytes: path) ?? "" }
    /// Where the current entry is, unless that is the root itself.
    private var place: (name: RawString, parent: DirectoryHandle)?
    /// Whether everything is read of the current entry, whatever the options say.
    private var isComplete = false

    /// Is told the path of each directory and all names in it, before the first of them is returned.
    package var onListing: (RawString, [Directory.Entry]) -> Void = { _, _ in }

    /// Reads what is below `directory`, and itself first.
    ///
    /// Paths begin with `prefix`; without one the directory itself is called `.`. `onOmission` is told of everything
    /// that is left out, by its path.
    package convenience init(
        _ directory: consuming Directory, as prefix: GuestPath = .root, _ options: Options = Options(),
        onOmission: @escaping (RawString, Omission) -> Void = { _, _ in }
    ) throws(SystemError) {
        try self.init(
            directory, as: prefix, options, hasOpenat2: Kernel.hasOpenat2, onOmission: onOmission)
    }

    /// For tests: with `hasOpenat2` false, mounts are told by their ids.
    init(
        _ directory: consuming Directory, as prefix: GuestPath, _ options: Options, hasOpenat2: Bool,
        onOmission: @escaping (RawString, Omission) -> Void
    ) throws(SystemError) {
        mount = try directory.mountID()
        status = try directory.status()
        root = DirectoryHandle(directory)
        path = prefix.components.isEmpty ? [] : prefix.relative.bytes
        self.options = options
        self.hasOpenat2 = hasOpenat2
        self.onOmission = onOmission
    }

    /// Reads what has that name in `directory`, and all that is below it.
    ///
    /// It is called `path`, whatever its name.
    package init(
        only name: RawString, in directory: consuming Directory, as path: GuestPath, _ options: Options,
        onOmission: @escaping (RawString, Omission) -> Void = { _, _ in }
    ) throws(SystemError) {
        let (found, mountID) = try directory.statusAndMount(name)
        mount = mountID
        status = found
        root = DirectoryHandle(directory)
        only = name
        self.path = path.relative.bytes
        self.options = options
        hasOpenat2 = Kernel.hasOpenat2
        self.onOmission = onOmission
    }

    deinit { buffer.deallocate() }

    // MARK: - Walking

    package func next() throws -> TarEntry? {
        closeFile()
        isComplete = false
        whole = nil
        place = nil
        if let root = root.take() {
            guard let name = only else { return try first(root) }
            return try read(Directory.Entry(name: name, kind: .other), in: root)
        }
        if let level = pending.take() { try enter(level) }
        while let last = levels.indices.last {
            guard let next = levels[last].entries.popLast() else {
                leave()
                continue
            }
            path.removeSubrange(levels[last].length...)
            guard let parent = levels[last].handle ?? reopen(last) else {
                omit(.moved)
                levels[last].entries = []
                continue
            }
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path += next.name.bytes
            if let entry = try read(next, in: parent) { return entry }
        }
        return nil
    }

    private func read(_ next: Directory.Entry, in parent: DirectoryHandle) throws -> TarEntry? {
        do throws(SystemError) {
            guard let entry = try entry(next, in: parent) else { return nil }
            place = (next.name, parent)
            return entry
        } catch {
            throw TreeError.refused(member: currentPath, error)
        }
    }

    /// The current entry with what the options left out of it: its attributes, and its data, to be read.
    ///
    /// A hard link has neither, unless it is to be read `alone`, as if its file had no other names. `nil`, and told as
    /// an omission, when it is gone. A file that has taken its place meanwhile is read instead.
    package func complete(_ entry: TarEntry, alone: Bool = false) throws -> TarEntry? {
        isComplete = true
        guard entry.kind != .hardLink || alone else { return entry }
        do throws(SystemError) { return try completed(entry) } catch {
            do throws(SystemError) { return try leaveOut(error) } catch {
                throw TreeError.refused(member: entry.path, error)
            }
        }
    }

    private func completed(_ entry: TarEntry) throws(SystemError) -> TarEntry? {
        var entry = entry
        if entry.kind == .hardLink {
            entry.kind = status.kind == .symbolicLink ? .symbolicLink : .regular
            entry.linkTarget = ""
            if entry.kind == .symbolicLink, let place {
                entry.linkTarget = try place.parent.directory.readSymbolicLink(place.name)
                entry.attributes = try attributes(of: place.name, in: place.parent.directory)
                return entry
            }
        }
        if entry.kind == .directory {
            if !options.readsAttributes, let handle = pending?.handle {
                entry.attributes = try attributes(of: handle.directory.descriptor)
            }
        } else if let place {
            if entry.kind == .regular {
                guard file == nil else { return whole ?? entry }
                let opened = try openFile(place.name, in: place.parent.directory)
                return try take(opened, entry)
            }
            if !options.readsAttributes {
                entry.attributes = try attributes(of: place.name, in: place.parent.directory)
            }
        }
        return entry
    }

    /// What is opened now may be another file than what was looked at.
    private func take(_ descriptor: consuming FileDescriptor, _ entry: TarEntry) throws(SystemError)
        -> TarEntry?
    {
        let opened = TreeFile(descriptor)
        let now = try opened.descriptor.status()
        guard now.kind == .regular else { throw SystemError("openat", entry.path.description, code: ENXIO) }
        // Later names are links to what is read here now, or to nothing.
        let known = FileIdentity(status)
        if let group = links[known], group.path == entry.path {
            links[known] =
                FileIdentity(now) == known
                ? LinkGroup(path: group.path, status: now, left: group.left) : nil
        }
        status = now
        var entry = entry
        entry.permissions = now.permissions
        (entry.owner, entry.group, entry.modified) = (now.owner, now.group, now.modified)
        entry.size = now.size
        entry.attributes = try attributes(of: opened.descriptor)
        if Self.mayHaveHoles(now) { entry.stored = try opened.findExtents(now.size) }
        opened.begin(now, entry.stored)
        file = opened
        whole = entry
        return entry
    }

    /// The attributes of the current entry, which the options left out of it.
    package func currentAttributes() throws -> [TarEntry.Attribute] {
        isComplete = true
        defer { isComplete = false }
        do throws(SystemError) {
            if let place { return try attributes(of: place.name, in: place.parent.directory) }
            guard let root = pending?.handle else { return [] }
            return try attributes(of: root.directory.descriptor)
        } catch {
            if error.code == ENOENT { return [] }
            throw TreeError.refused(member: currentPath, error)
        }
    }

    /// Whether the current file, which is complete, has the same data as another of the same size.
    package func hasData(of other: borrowing FileDescriptor) throws -> Bool {
        do throws(SystemError) { return try file?.hasData(of: other, buffer) ?? false } catch {
            throw TreeError.refused(member: currentPath, error)
        }
    }

    /// Leaves out what is in the directory that was returned last.
    package func skipChildren() { pending = nil }

    private func first(_ root: DirectoryHandle) throws -> TarEntry {
        pending = Level(
            name: ".", length: path.count, identity: FileIdentity(status), handle: root, entries: [])
        return entry(try attributes(of: root.directory.descriptor))
    }

    private func enter(_ level: Level) throws {
        guard let handle = level.handle else { return }
        var level = level
        do throws(SystemError) {
            // The root may have been listed through another descriptor of the same open directory.
            level.entries =
                try levels.isEmpty ? handle.directory.entries() : handle.directory.remainingEntries()
        } catch {
            // One that has been removed (getdents64(2)) had nothing in it.
            if error.code != ENOENT {
                do throws(SystemError) { _ = try leaveOut(error) } catch {
                    throw TreeError.refused(member: currentPath, error)
                }
            }
        }
        onListing(currentPath, level.entries)
        if options.isSorted { level.entries.sort { $1.name < $0.name } } else { level.entries.reverse() }
        levels.append(level)
        // The first one stays open, to begin from again.
        let oldest = levels.count - Self.limit - 1
        if oldest > 0 { levels[oldest].handle = nil }
    }

    private func leave() {
        let level = levels.removeLast()
        guard let last = levels.indices.last, levels[last].handle == nil, let below = level.handle,
            let parent = try? below.directory.openDirectory(".."),
            let status = try? parent.status(), FileIdentity(status) == levels[last].identity
        else { return }
        levels[last].handle = DirectoryHandle(parent)
    }

    /// Opens a directory again that had to make room; `nil` when it is not where it was.
    private func reopen(_ last: Int) -> DirectoryHandle? {
        guard var current = levels[0].handle else { return nil }
        for level in levels[1...last] {
            guard let next = try? openDirectory(level.name, in: current.directory),
                let status = try? next.status(), FileIdentity(status) == level.identity
            else { return nil }
            current = DirectoryHandle(next)
        }
        levels[last].handle = current
        return current
    }

    // MARK: - Opening

    private func openDirectory(
        _ name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> Directory {
        Directory(adopting: try open(name, in: parent, O_RDONLY | O_DIRECTORY))
    }

    /// Refuses what is on another mount with `EXDEV`.
    private func open(
        _ name: RawString, in parent: borrowing Directory, _ flags: Int32
    ) throws(SystemError) -> FileDescriptor {
        // What was named may be a mount itself, as a file that was bound over another.
        if levels.isEmpty, name == only { return try parent.openFile(name, flags) }
        if hasOpenat2 { return try parent.openOnSameMount(name, flags) }
        let opened = try parent.openFile(name, flags)
        guard try opened.mountID() == mount else {
            throw SystemError("openat", name.description, code: EXDEV)
        }
        return opened
    }

    private func openFile(
        _ name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> FileDescriptor {
        // A FIFO or a device that has taken the place of the file must neither hold us up nor become our terminal.
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
        do { return try open(name, in: parent, flags | noTrace) } catch {
            switch error.code {
            case EPERM where noTrace != 0:
                noTrace = 0
                return try openFile(name, in: parent)
            case EAGAIN: return try openLeased(name, in: parent)
            default: throw error
            }
        }
    }

    /// Somebody has a lease on the file (fcntl(2), F_SETLEASE), and is given the time to end it.
    private func openLeased(
        _ name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> FileDescriptor {
        let place = try open(name, in: parent, cd_o_path)
        guard try place.status().kind == .regular else {
            throw SystemError("openat", name.description, code: ENXIO)
        }
        let path = place.procPath
        return FileDescriptor(
            adopting: try syscall("openat", name.description) {
                path.withCString { openat(AT_FDCWD, $0, O_RDONLY | O_CLOEXEC | O_NOCTTY | noTrace) }
            })
    }

    // MARK: - Entries

    /// The entry with that name, or `nil` when there is none worth the name.
    private func entry(
        _ next: Directory.Entry, in parent: DirectoryHandle
    ) throws(SystemError) -> TarEntry? {
        do throws(SystemError) {
            switch next.kind {
            case .directory: return try readDirectory(next.name, in: parent)
            case .regular where options.readsContent: return try readFile(next.name, in: parent)
            default: return try readOther(next.name, in: parent)
            }
        } catch {
            switch error.code {
            // It is not what it was when the directory was listed.
            case ENOTDIR, ELOOP, ENXIO: return try readChanged(next.name, in: parent)
            default: return try leaveOut(error)
            }
        }
    }

    private func readChanged(
        _ name: RawString, in parent: DirectoryHandle
    ) throws(SystemError) -> TarEntry? {
        do throws(SystemError) { return try readOther(name, in: parent) } catch { return try leaveOut(error) }
    }

    /// What is wrong with one file alone keeps nobody from the others.
    private func leaveOut(_ error: SystemError) throws(SystemError) -> TarEntry? {
        switch error.code {
        case ENOENT, ESTALE, ENOTDIR, ELOOP, ENXIO: omit(.vanished)
        case EXDEV: omit(.mountPoint)
        case EMFILE, ENFILE, ENOMEM: throw error
        default: omit(.unreadable(error))
        }
        // No other name of the file can be a link to it.
        let identity = FileIdentity(status)
        if let group = links[identity], group.path == currentPath { links[identity] = nil }
        return nil
    }

    private func omit(_ omission: Omission) { onOmission(currentPath, omission) }

    private func readDirectory(
        _ name: RawString, in parent: DirectoryHandle
    ) throws(SystemError) -> TarEntry? {
        let handle = DirectoryHandle(try openDirectory(name, in: parent.directory))
        status = try handle.directory.status()
        let attributes = try attributes(of: handle.directory.descriptor)
        pending = Level(
            name: name, length: path.count, identity: FileIdentity(status), handle: handle, entries: [])
        return entry(attributes)
    }

    private func readFile(
        _ name: RawString, in parent: DirectoryHandle
    ) throws(SystemError) -> TarEntry? {
        let opened = TreeFile(try openFile(name, in: parent.directory))
        status = try opened.descriptor.status()
        guard status.kind == .regular else { return try readOther(name, in: parent) }
        var entry = entry(try attributes(of: opened.descriptor))
        guard entry.kind == .regular else { return entry }
        if Self.mayHaveHoles(status) { entry.stored = try opened.findExtents(status.size) }
        opened.begin(status, entry.stored)
        file = opened
        return entry
    }

    private static func mayHaveHoles(_ status: FileStatus) -> Bool {
        status.blocks < status.size / 512 + (status.size % 512 > 0 ? 1 : 0)
    }

    /// What is not opened, or turns out to be something else than was thought.
    private func readOther(
        _ name: RawString, in parent: DirectoryHandle
    ) throws(SystemError) -> TarEntry? {
        let (found, mountID) = try parent.directory.statusAndMount(name)
        guard mountID == mount else { throw SystemError("statx", name.description, code: EXDEV) }
        switch found.kind {
        case .directory: return try readDirectory(name, in: parent)
        case .regular where options.readsContent: return try readFile(name, in: parent)
        case .socket, .other:
            omit(.socket)
            return nil
        default:
            status = found
            var entry = entry(try attributes(of: name, in: parent.directory))
            if entry.kind == .symbolicLink {
                entry.linkTarget = try parent.directory.readSymbolicLink(name)
            }
            return entry
        }
    }

    /// An entry of the current status.
    private func entry(_ attributes: [TarEntry.Attribute]) -> TarEntry {
        let kind: TarEntry.Kind =
            switch status.kind {
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            case .regular, .socket, .other: .regular
            }
        let name = currentPath
        var entry = TarEntry(kind, name, permissions: status.permissions)
        (entry.owner, entry.group, entry.modified) = (status.owner, status.group, status.modified)
        entry.attributes = attributes
        if let first = firstName(name) {
            entry.kind = .hardLink
            entry.linkTarget = first
        } else {
            if kind == .regular { entry.size = status.size }
            if kind == .characterDevice || kind == .blockDevice {
                (entry.major, entry.minor) = (status.major, status.minor)
            }
        }
        return entry
    }

    /// The name under which the current file has been read before.
    private func firstName(_ name: RawString) -> RawString? {
        guard options.groupsLinks, status.links > 1, status.kind != .directory else { return nil }
        let identity = FileIdentity(status)
        guard let known = links[identity], status.isUntouched(since: known.status) else {
            // Another file may have the number of one that is gone; what was written since then is not what was read.
            links[identity] = LinkGroup(path: name, status: status, left: status.links - 1)
            return nil
        }
        // Forgotten with its last name, so that memory is for those only whose names are still to come.
        links[identity]?.left -= 1
        if known.left <= 1 { links[identity] = nil }
        return known.path
    }

    private func attributes(of file: borrowing FileDescriptor) throws(SystemError) -> [TarEntry.Attribute] {
        guard options.readsAttributes || isComplete else { return [] }
        var found: [TarEntry.Attribute] = []
        for name in try file.attributeNames() where TarEntry.Attribute.isWanted(name) {
            do { found.append(TarEntry.Attribute(name, try file.attribute(name))) } catch
                where Self.isNoAttribute(error)
            {}
        }
        return found
    }

    private func attributes(
        of name: RawString, in parent: borrowing Directory
    ) throws(SystemError) -> [TarEntry.Attribute] {
        guard options.readsAttributes || isComplete else { return [] }
        var found: [TarEntry.Attribute] = []
        for attribute in try parent.attributeNames(of: name) where TarEntry.Attribute.isWanted(attribute) {
            do {
                found.append(TarEntry.Attribute(attribute, try parent.attribute(of: name, attribute)))
            } catch  where Self.isNoAttribute(error) {}
        }
        return found
    }

    /// It has gone meanwhile, or is not ours to see.
    private static func isNoAttribute(_ error: SystemError) -> Bool {
        [ENODATA, EPERM, EACCES, ENOTSUP].contains(error.code)
    }

    // MARK: - Data

    package func nextStretch() throws -> TarStretch? {
        do throws(SystemError) { return try file?.nextStretch(buffer) } catch {
            throw TreeError.refused(member: currentPath, error)
        }
    }

    package func copyData(to destination: borrowing FileDescriptor) throws {
        do throws(SystemError) { try file?.copy(to: destination, buffer, &clones) } catch {
            throw TreeError.refused(member: currentPath, error)
        }
    }

    private func closeFile() {
        guard let file = file.take(), file.isUsed else { return }
        let after = try? file.descriptor.status()
        guard let after, !after.hasSameContent(as: status) else { return }
        onOmission(currentPath, .changed)
    }
}
