import Platform

/// How much of the disk the image store takes, and for what.
package struct ImageUsage: Sendable {
    /// One name's part.
    package struct Item: Sendable {
        package let name: String
        /// Bytes on the disk of all that the name leads to.
        package let size: Int64
        /// Bytes that no other name leads to, and that would go with it.
        package let unique: Int64
    }

    package private(set) var items: [Item] = []
    /// Bytes of all that names lead to, each file once.
    package private(set) var images: Int64 = 0
    /// Content that no name leads to and that is needed all the same: see `ImageLayout.needed`.
    package private(set) var kept = ImageLayout.Reclaimed()
    /// Content that nobody needs.
    package private(set) var orphans = ImageLayout.Reclaimed()
    /// Downloads that have not come to their end.
    package private(set) var parts = ImageLayout.Reclaimed()

    package init() {}

    package init(_ layout: borrowing ImageLayout) throws {
        var sizes: [Digest: Int64] = [:]
        for algorithm in Digest.Algorithm.allCases {
            guard let folder = try? layout.folder(algorithm, make: false) else { continue }
            for entry in try folder.entries() {
                guard let status = try folder.statusIfPresent(entry.name), status.kind == .regular else {
                    continue
                }
                guard let digest = try? Digest("\(algorithm):\(entry.name.text)") else {
                    Self.add(status, to: &orphans)
                    continue
                }
                sizes[digest] = status.blocks * 512
            }
        }
        count(try layout.index().manifests, sizes, layout)
        for entry in try layout.ingest.entries()
        where entry.kind == .regular && !entry.name.text.hasSuffix(".lock") {
            if let status = try layout.ingest.statusIfPresent(entry.name) { Self.add(status, to: &parts) }
        }
    }

    private mutating func count(
        _ tops: [Descriptor], _ sizes: [Digest: Int64], _ layout: borrowing ImageLayout
    ) {
        var users: [Digest: Int] = [:]
        var reaches: [(String, Set<Digest>)] = []
        for top in tops {
            let reach = Reach([top], in: layout).digests
            for digest in reach { users[digest, default: 0] += 1 }
            reaches.append((top.storedName, reach))
        }
        for (name, reach) in reaches.sorted(by: { $0.0 < $1.0 }) {
            items.append(
                Item(
                    name: name, size: reach.reduce(0) { $0 + (sizes[$1] ?? 0) },
                    unique: reach.reduce(0) { $0 + (users[$1] == 1 ? sizes[$1] ?? 0 : 0) }))
        }
        let needed = (try? layout.needed()) ?? []
        for (digest, size) in sizes {
            if users[digest] != nil {
                images += size
            } else if needed.contains(digest) {
                kept += ImageLayout.Reclaimed(files: 1, bytes: size)
            } else {
                orphans += ImageLayout.Reclaimed(files: 1, bytes: size)
            }
        }
    }

    private static func add(_ status: FileStatus, to sum: inout ImageLayout.Reclaimed) {
        sum.files += 1
        sum.bytes += status.blocks * 512
    }
}
