import Libc
import OCI
import Platform
import Store

/// What has been changed in a container since its installation.
struct ContainerChanges {
    /// In the order of the tree.
    let changes: [TreeChange]
    /// Those of `changes` that the program itself has made, and nobody since.
    let own: Set<RawString>
    /// Paths that could not be looked at, and why.
    let unreadable: [(path: RawString, error: SystemError)]

    /// Compares a container with its image; one without an image is all new.
    ///
    /// `listsOwn` says that the program's own changes are to be found wherever they are; otherwise only those are that
    /// are in the way. Without `namesAspects` it is only said that a file was changed, not always in what. The tree of the image is kept beside the root, so that layers are read once.
    static func find(
        in container: borrowing Container, of image: RecordedImage?, listsOwn: Bool, namesAspects: Bool,
        _ context: Context
    ) throws -> ContainerChanges {
        let name = container.name
        let rootfs = try container.rootfs()
        let diff = try LayerDiff(
            rootfs.directory.duplicate(), made: image.flatMap { _ in Completion.time(of: container) },
            always: listsOwn ? GuestFiles.paths : [], namesAspects: namesAspects
        ) { isHashed in
            guard let image else { return ImageTree() }
            return try image.naming {
                try tree(of: image.stack, isHashed: isHashed, for: context.store().container(name), context)
            }
        }
        let changes = try diff.run()
        let own = changes.lazy.filter { isOwn($0, in: rootfs, hasImage: image != nil) }.map(\.path)
        return ContainerChanges(changes: changes, own: Set(own), unreadable: diff.unreadable)
    }

    private static let treeLimit = 1 << 30

    private static func tree(
        of stack: LayerStack, isHashed: Bool, for container: borrowing Container, _ context: Context
    ) throws -> ImageTree {
        let key = try ImageTree.key(of: stack.layers.map(\.digest))
        if let bytes = try? container.directory.readFile(Staging.imageTree, limit: treeLimit),
            let tree = ImageTree(bytes, key: key), !isHashed || tree.isHashed
        {
            return tree
        }
        let tree = try ImageTree(of: stack, in: context.images())
        // Without it the next comparison takes longer, no more.
        if let bytes = try? tree.encoded(key: key) {
            try? container.directory.replaceFile(Staging.imageTree, with: bytes, durable: false)
        }
        return tree
    }

    /// Where sessions mount something; a directory that is missing there is made for it.
    private static let mountPoints: Set<RawString> = ["dev", "proc", "sys", "run", "tmp"]

    private static func isOwn(
        _ change: TreeChange, in rootfs: borrowing Rootfs, hasImage: Bool
    ) -> Bool {
        if hasImage, mountPoints.contains(change.path), change.kind == .added, change.file == .directory {
            return (try? rootfs.openDirectory(GuestPath(change.path)).entries().isEmpty) ?? false
        }
        return change.kind != .deleted && GuestFiles.isOurs(change.path, in: rootfs)
    }
}

/// Why a container cannot be compared with its image.
enum ChangesError: UserFacing, Equatable {
    case noImage(ContainerName)

    var message: String {
        switch self {
        case .noImage(let name):
            "container \(name) was not made of an image, so there is nothing to compare it with"
        }
    }

    var hint: String? {
        switch self {
        case .noImage(let name): "Make an image of it with: chroot-distro commit \(name) NAME"
        }
    }
}
