import Archive
import Libc
import Platform

/// One member of a layer, without its data.
package struct LayerMember {
    /// What it makes.
    package enum Content {
        case file(ImageTree.File)
        /// One more name of the file at that path.
        case link(GuestPath)
        /// A type that is not Linux's.
        case unknown
    }

    /// Without `..`; in one piece, which takes a fraction of the memory of its components.
    package let path: RawString
    package fileprivate(set) var content: Content
}

extension LayerMember {
    /// All members of a layer, in their order, from its compressed bytes.
    ///
    /// The data of regular files is hashed. `blob` is what `source` has to be: it is compared before this returns.
    static func read(_ source: any ByteSource, blob: ExpectedContent) throws -> [LayerMember] {
        let checked = try CheckedSource(source, blob)
        do {
            let reader = TarReader(BufferedChunks(try Compression.open(checked)))
            var members: [LayerMember] = []
            while let entry = try reader.next() {
                var member = LayerMember(describing: entry, at: GuestPath(entry.path).clamped)
                if case .file(var file) = member.content, !ImageTree.isHashed(file) {
                    file.content = try ContentHash(of: reader)
                    member.content = .file(file)
                }
                members.append(member)
            }
            try reader.drain()
            try checked.finish()
            return members
        } catch let error as TarError {
            guard case .source(let cause) = error.reason else { throw error }
            throw cause
        }
    }

    /// What an entry of a layer makes, without a hash of its data.
    ///
    /// `path` is where it makes that.
    init(describing entry: TarEntry, at path: GuestPath) {
        self.path = path.relative
        switch entry.kind {
        case .unknown: content = .unknown
        case .hardLink: content = .link(GuestPath(entry.linkTarget).clamped)
        default:
            var file = ImageTree.File(entry.kind)
            (file.permissions, file.owner, file.group) = (entry.permissions, entry.owner, entry.group)
            (file.modified, file.target) = (entry.modified, entry.linkTarget)
            (file.major, file.minor) = (entry.major, entry.minor)
            if !entry.attributes.isEmpty {
                file.attributes = entry.attributes.filter { TarEntry.Attribute.isWanted($0.name) }.sorted {
                    $0.name < $1.name
                }
            }
            if entry.kind == .regular { (file.size, file.stored) = (entry.size, entry.stored) }
            content = .file(file)
        }
    }
}
