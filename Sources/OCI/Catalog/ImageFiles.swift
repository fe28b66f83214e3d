import Archive
import Libc
import Platform

/// A file of an image, or what a layer says of a name.
package struct ImageFile: Sendable {
    /// What a name in a layer is for.
    package enum Mark: String, Sendable {
        /// The name is there.
        case entry
        /// It hides what lower layers have by this name.
        case hides
        /// It hides all that lower layers have in this directory.
        case opaque
    }

    package let path: GuestPath
    package let mark: Mark
    package let kind: TarEntry.Kind
    package let permissions: mode_t
    package let owner: uid_t
    package let group: gid_t
    package let size: Int64
    package let modified: timespec
    /// What a symbolic link contains, or the path that a hard link means.
    package let target: RawString
    /// Where it comes from: 0 is the lowest layer.
    package let layer: Int
}

/// Reads what layers of the store hold, without unpacking anything.
package enum ImageFiles {
    /// All names of one layer, in its own order; its content is verified to its end before anything is returned.
    package static func list(
        layer index: Int, of image: StoredImage, in store: borrowing ImageLayout
    ) throws -> [ImageFile] {
        let blob = image.manifest.layers[index]
        guard blob.mediaType.layerKind == .archive || blob.mediaType.layerKind == .nondistributable else {
            throw UnusableLayer(layer: blob.digest, mediaType: blob.mediaType)
        }
        let difference = index < image.config.diffIDs.count ? image.config.diffIDs[index] : nil
        let stored = try CheckedSource(
            FileSource(store.open(blob)),
            ExpectedContent(digest: difference == nil ? blob.digest : nil, size: blob.size))
        let content = try CheckedSource(Compression.open(stored), ExpectedContent(digest: difference))
        let reader = TarReader(BufferedChunks(content, capacity: 1 << 20))
        var files: [ImageFile] = []
        while let entry = try reader.next() {
            if let file = file(entry, index) { files.append(file) }
        }
        try reader.drain()
        try content.finish()
        try stored.finish()
        return files
    }

    private static func file(_ entry: TarEntry, _ layer: Int) -> ImageFile? {
        var path = GuestPath(entry.path).clamped
        var mark = ImageFile.Mark.entry
        if let name = path.components.last, let whiteout = Whiteout(name) {
            switch whiteout {
            case .meaningless: return nil
            case .hidesAll:
                path = path.parent
                mark = .opaque
            case .hides(let hidden):
                path = path.parent.appending(hidden)
                mark = .hides
            }
        }
        return ImageFile(
            path: path, mark: mark, kind: entry.kind, permissions: entry.permissions, owner: entry.owner,
            group: entry.group, size: entry.size, modified: entry.modified, target: entry.linkTarget,
            layer: layer)
    }

    /// The files of the whole image, sorted by their paths: what is there when all layers have been applied.
    package static func list(_ image: StoredImage, in store: borrowing ImageLayout) throws -> [ImageFile] {
        let root = Node()
        for index in image.manifest.layers.indices {
            root.apply(try list(layer: index, of: image, in: store))
        }
        var files: [ImageFile] = []
        root.collect(into: &files)
        return files
    }

    /// A name with what is below it.
    ///
    /// No path is long enough for its depth to matter.
    private final class Node {
        var file: ImageFile?
        var children: [RawString: Node] = [:]

        /// Applies a layer: what it hides goes before what it brings comes.
        func apply(_ files: [ImageFile]) {
            for file in files where file.mark != .entry { hide(file) }
            for file in files where file.mark == .entry { add(file) }
        }

        private func hide(_ file: ImageFile) {
            guard let name = file.path.components.last else {
                children = [:]
                return
            }
            var node: Node? = self
            for component in file.path.components.dropLast() { node = node?.children[component] }
            if file.mark == .hides {
                node?.children[name] = nil
            } else {
                node?.children[name]?.children = [:]
            }
        }

        private func add(_ file: ImageFile) {
            var node = self
            for component in file.path.components {
                let next = node.children[component] ?? Node()
                node.children[component] = next
                node = next
            }
            if file.kind != .directory { node.children = [:] }
            node.file = file
        }

        func collect(into files: inout [ImageFile]) {
            if let file { files.append(file) }
            for (_, child) in children.sorted(by: { $0.key < $1.key }) { child.collect(into: &files) }
        }
    }
}
