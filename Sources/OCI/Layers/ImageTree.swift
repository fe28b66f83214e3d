import Archive
import Libc
import Platform

/// What a tree of files looks like after the layers of an image: names and metadata, without the data.
///
/// Layers are applied as `LayerApplier` applies them to a disk: links on the way are followed inside the tree, what is
/// missing on the way is made, whiteouts spare what their own layer brought. Files are numbered; a number that has two
/// names is a file with two links.
package struct ImageTree {
    /// One file, whatever its names.
    package struct File {
        /// Never a hard link, which is only one more name.
        package var kind: TarEntry.Kind
        package var permissions: mode_t = 0o755
        package var owner: uid_t = 0
        package var group: gid_t = 0
        /// `nil` for a directory that no layer lists, which came to be at some time or other.
        package var modified: timespec?
        package var size: Int64 = 0
        package var target: RawString = ""
        package var major: UInt32 = 0
        package var minor: UInt32 = 0
        package var attributes: [TarEntry.Attribute] = []
        /// The hash of a regular file's data, or of the `stored` parts of it; `nil` for an empty one, and where nobody has
        /// made it.
        package var content: ContentHash?
        package var stored: [SparseExtent]?
        /// How many names it has.
        package var links = 0
        /// Where the names in a directory are kept.
        fileprivate var room: Int32 = -1
        /// The last layer that had something in a directory, however deep.
        fileprivate var layer: Int32 = -1

        init(_ kind: TarEntry.Kind) { self.kind = kind }
    }

    private struct Name {
        var file: Int32
        /// The layer that brought it; directories are told by themselves.
        var layer: Int32
    }

    private var files: [File] = []
    private var rooms: [[RawString: Name]] = []
    private var layer: Int32 = -1

    /// The number of the root directory.
    package static let root = 0

    package init() { _ = makeDirectory() }

    /// The files of a tree that has no names yet, the root first.
    init(_ files: consuming [File]) {
        self.files = files
        for index in self.files.indices {
            self.files[index].links = 0
            guard self.files[index].kind == .directory else { continue }
            self.files[index].room = Int32(rooms.count)
            rooms.append([:])
        }
    }

    /// Whether the data of all files is known by its hash.
    package var isHashed: Bool { files.allSatisfy { Self.isHashed($0) } }

    /// Whether the data of a file is known by its hash.
    package static func isHashed(_ file: File) -> Bool { file.content != nil || file.size == 0 }

    /// How many files it has.
    var count: Int { files.count }

    /// Gives a file a name.
    mutating func enter(_ name: RawString, in directory: Int, _ file: Int) {
        put(name, in: directory, file)
    }

    // MARK: - Looking

    package subscript(file: Int) -> File { files[file] }

    /// The number of the file with that name in a directory; `nil` also for what is no directory.
    package func child(_ name: RawString, of directory: Int) -> Int? {
        let room = files[directory].room
        return room < 0 ? nil : rooms[Int(room)][name].map { Int($0.file) }
    }

    /// The names in a directory.
    package func names(in directory: Int) -> some Collection<RawString> {
        let room = files[directory].room
        return (room < 0 ? [:] : rooms[Int(room)]).keys
    }

    /// The file at a path, without following links.
    package func find(_ path: GuestPath) -> Int? {
        var current = Self.root
        for name in path.components {
            guard let next = child(name, of: current) else { return nil }
            current = next
        }
        return current
    }

    // MARK: - Applying

    /// Adds the next layer.
    package mutating func apply(_ members: some Sequence<LayerMember>) throws(TreeError) {
        layer += 1
        for member in members { try apply(member) }
    }

    private mutating func apply(_ member: LayerMember) throws(TreeError) {
        let path = GuestPath(member.path)
        guard let name = path.lastComponent else {
            guard case .file(let file) = member.content, file.kind == .directory else {
                throw .rootIsNoDirectory
            }
            return describe(Self.root, as: file)
        }
        if let whiteout = Whiteout(name) {
            guard let parent = resolve(path.parent)?.last else { return }
            switch whiteout {
            case .hides(let hidden): removeEarlier(hidden, from: parent)
            case .hidesAll: for hidden in Array(names(in: parent)) { removeEarlier(hidden, from: parent) }
            case .meaningless: break
            }
            return
        }
        let way = try resolveOrMake(path.parent)
        for directory in way { files[directory].layer = layer }
        guard let parent = way.last else { return }
        switch member.content {
        case .file(let file) where file.kind == .directory: putDirectory(name, in: parent, file)
        case .file(let file): put(name, in: parent, add(file))
        case .link(let target): try putLink(name, in: parent, to: target, member)
        case .unknown: break
        }
    }

    private mutating func add(_ file: File) -> Int {
        files.append(file)
        return files.count - 1
    }

    private mutating func makeDirectory() -> Int {
        var file = File(.directory)
        file.room = Int32(rooms.count)
        rooms.append([:])
        return add(file)
    }

    /// Gives a directory the metadata of an entry, and leaves what is in it.
    private mutating func describe(_ directory: Int, as file: File) {
        let (room, links) = (files[directory].room, files[directory].links)
        files[directory] = file
        files[directory].room = room
        files[directory].links = links
        files[directory].layer = layer
    }

    private mutating func putDirectory(_ name: RawString, in parent: Int, _ file: File) {
        if let there = child(name, of: parent), files[there].kind == .directory {
            return describe(there, as: file)
        }
        let made = makeDirectory()
        put(name, in: parent, made)
        describe(made, as: file)
    }

    private mutating func put(_ name: RawString, in parent: Int, _ file: Int) {
        remove(name, from: parent)
        files[file].links += 1
        rooms[Int(files[parent].room)][name] = Name(file: Int32(file), layer: layer)
    }

    private mutating func putLink(
        _ name: RawString, in parent: Int, to target: GuestPath, _ member: LayerMember
    ) throws(TreeError) {
        guard let targetName = target.lastComponent, let source = resolve(target.parent)?.last,
            let file = child(targetName, of: source)
        else {
            throw .missingLinkTarget(member: member.path, target: target.relative)
        }
        if source == parent, targetName == name { return }
        guard files[file].kind != .directory else {
            throw .refused(member: member.path, SystemError("linkat", code: EPERM))
        }
        // Before the name goes: it may be the last one of that very file.
        files[file].links += 1
        remove(name, from: parent)
        files[file].links -= 1
        put(name, in: parent, file)
    }

    // MARK: - Removing

    /// Removes a name with all below it.
    private mutating func remove(_ name: RawString, from parent: Int) {
        guard let removed = rooms[Int(files[parent].room)].removeValue(forKey: name) else { return }
        var waiting = [Int(removed.file)]
        while let file = waiting.popLast() {
            files[file].links -= 1
            let room = Int(files[file].room)
            guard room >= 0 else { continue }
            waiting += rooms[room].values.map { Int($0.file) }
            rooms[room] = [:]
        }
    }

    /// Removes a name with all below it, except for what this layer has brought.
    private mutating func removeEarlier(_ name: RawString, from parent: Int) {
        var waiting = [(name: name, parent: parent)]
        while let next = waiting.popLast() {
            guard let found = rooms[Int(files[next.parent].room)][next.name] else { continue }
            let file = Int(found.file)
            if files[file].kind == .directory, files[file].layer == layer {
                waiting += names(in: file).map { ($0, file) }
            } else if files[file].kind == .directory || found.layer != layer {
                remove(next.name, from: next.parent)
            }
        }
    }

    // MARK: - Paths

    /// As many as the kernel follows (path_resolution(7)).
    private static let linkLimit = 40

    /// The directories from the root to the one at `path`; `nil` when there is no such directory.
    private func resolve(_ path: GuestPath) -> [Int]? {
        var walk = Walk(path)
        while let name = walk.next() {
            guard let found = child(name, of: walk.current) else { return nil }
            switch files[found].kind {
            case .directory: walk.way.append(found)
            case .symbolicLink:
                guard walk.follow(files[found].target, limit: Self.linkLimit) else { return nil }
            default: return nil
            }
        }
        return walk.way
    }

    /// The same; what is missing is made, and what is no directory makes way for one.
    private mutating func resolveOrMake(_ path: GuestPath) throws(TreeError) -> [Int] {
        var walk = Walk(path)
        while let name = walk.next() {
            let found = child(name, of: walk.current)
            if let found, files[found].kind == .directory {
                walk.way.append(found)
            } else if let found, files[found].kind == .symbolicLink {
                guard walk.follow(files[found].target, limit: Self.linkLimit) else {
                    throw .refused(
                        member: path.relative, SystemError("openat2", path.description, code: ELOOP))
                }
            } else {
                let made = makeDirectory()
                put(name, in: walk.current, made)
                walk.way.append(made)
            }
        }
        return walk.way
    }

    /// A way through the tree.
    private struct Walk {
        var way = [ImageTree.root]
        private var rest: [RawString]
        private var links = 0

        init(_ path: GuestPath) { rest = path.components.reversed() }

        var current: Int { way[way.count - 1] }

        /// The next name to look up; `..` is gone by itself.
        mutating func next() -> RawString? {
            while let name = rest.popLast() {
                guard name == ".." else { return name }
                if way.count > 1 { way.removeLast() }
            }
            return nil
        }

        /// Goes on where a link leads; false when there were too many.
        mutating func follow(_ target: RawString, limit: Int) -> Bool {
            links += 1
            if target.bytes.first == UInt8(ascii: "/") { way = [ImageTree.root] }
            rest += GuestPath(target).components.reversed()
            return links <= limit
        }
    }
}
