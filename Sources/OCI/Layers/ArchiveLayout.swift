import Platform

/// What kind of thing an archive is, told from the names of its first members.
package enum ArchiveLayout: Hashable, Sendable {
    /// An OCI image layout (image-layout.md): `oci-layout`, `index.json`, `blobs/`.
    case ociLayout
    /// What `docker save` wrote before it wrote OCI layouts: `manifest.json` lists configs and layers.
    case dockerArchive
    /// A backup of a container: `NAME/manifest.json` beside the tree in `NAME/rootfs`.
    case backup(name: RawString)
    /// A root file system that lies in `prefix`.
    case rootfs(prefix: GuestPath)

    /// How many names are enough to tell.
    package static let sample = 500

    /// Names that hold nothing which looks like a system.
    package enum Unrecognised: UserFacing, Hashable {
        case notASystem

        package var message: String { "this is not a root file system archive" }
        package var hint: String? {
            "It holds no image and none of the directories that a system has, such as etc, usr and bin."
        }
    }

    /// Judges by `names` as they stand in the archive, `./` and all.
    package init(_ names: [RawString]) throws(Unrecognised) {
        let paths = names.map {
            GuestPath(components: Array(GuestPath($0).clamped.components.prefix(Self.depth)))
        }
        let tree = NameTree(paths)
        if Self.isOCILayout(tree) {
            self = .ociLayout
        } else if let name = Self.backupName(tree) {
            self = .backup(name: name)
        } else if let prefix = Self.systemPrefix(paths, tree) {
            self = .rootfs(prefix: prefix)
        } else if tree.has("manifest.json") {
            self = .dockerArchive
        } else {
            throw .notASystem
        }
    }

    /// The mark file may come last, behind any number of blobs.
    private static func isOCILayout(_ tree: NameTree) -> Bool {
        if tree.has("oci-layout") { return true }
        let blobs = tree.children(of: "blobs/sha256")
        return !blobs.isEmpty && blobs.allSatisfy { $0.bytes.count == 64 } && !tree.has("etc")
            && !tree.has("usr")
    }

    private static func backupName(_ tree: NameTree) -> RawString? {
        let names = tree.children(of: .root).filter { name in
            let top = GuestPath(components: [name])
            return tree.has(top.appending("manifest.json")) && tree.has(top.appending("rootfs"))
        }
        return names.count == 1 ? names.first : nil
    }

    // MARK: - Where a system begins

    /// Directories of hier(7) that only a root has.
    private static let rootNames: Set<RawString> = [
        "etc", "usr", "var", "dev", "proc", "sys", "root", "home", "run", "tmp", "boot", "mnt", "media",
        "srv", "opt",
    ]
    /// Directories that a root shares with `/usr` and `/usr/local`.
    private static let sharedNames: Set<RawString> = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]
    /// Nobody wraps a system into a directory of such a name; but `/usr/local` looks like a small system itself.
    private static let neverWrappers = sharedNames.union(["usr", "etc", "dev", "proc", "sys", "boot"])

    private static let deepestPrefix = 4

    /// Components of a name that are looked at: more than any question here needs, and few for any memory.
    private static let depth = 8

    /// The prefix with the most different names of a root below it; the shorter one of two that are equal.
    private static func systemPrefix(_ paths: [GuestPath], _ tree: NameTree) -> GuestPath? {
        var candidates: Set<GuestPath> = [.root]
        for path in paths {
            for depth in 1...deepestPrefix where path.components.count > depth {
                if neverWrappers.contains(path.components[depth - 1]) { break }
                candidates.insert(GuestPath(components: Array(path.components.prefix(depth))))
            }
        }
        var best: (prefix: GuestPath, score: Int)?
        for prefix in candidates.sorted(by: { order($0, $1) }) {
            let score = score(tree, prefix)
            if score >= 2, score > best?.score ?? 0 { best = (prefix, score) }
        }
        return best?.prefix
    }

    private static func order(_ left: GuestPath, _ right: GuestPath) -> Bool {
        let (short, long) = (left.components.count, right.components.count)
        return short == long ? left.absolute < right.absolute : short < long
    }

    /// Without a name that only a root has, it is no root.
    ///
    /// One big `usr` may fill the whole sample: then its own names speak for it.
    private static func score(_ tree: NameTree, _ prefix: GuestPath) -> Int {
        let names = tree.children(of: prefix)
        let own = names.intersection(rootNames)
        guard !own.isEmpty else { return 0 }
        let inUsr = tree.children(of: prefix.appending("usr"))
        let isWholeUsr =
            inUsr.intersection(sharedNames.union(["share", "local", "include", "libexec"])).count >= 2
        return own.count + names.intersection(sharedNames).count + (isWholeUsr ? 5 : 0)
    }
}

/// The names in each directory of an archive.
private struct NameTree {
    private var names: [GuestPath: Set<RawString>] = [:]

    init(_ paths: [GuestPath]) {
        for path in paths {
            var path = path
            while let name = path.lastComponent, names[path.parent, default: []].insert(name).inserted {
                path = path.parent
            }
        }
    }

    func children(of path: GuestPath) -> Set<RawString> { names[path] ?? [] }

    func has(_ path: GuestPath) -> Bool {
        guard let name = path.lastComponent else { return true }
        return children(of: path.parent).contains(name)
    }
}
