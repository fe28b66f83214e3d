import Libc
import Platform

/// What is wrong with the images in a store, looked at without making or changing anything.
package struct ImageCensus: Sendable {
    /// Some content that a name leads to and that is not as it should be.
    package struct Defect: Hashable, Sendable {
        /// The image's name; stranger's text.
        package let image: String
        package let digest: Digest
        /// `nil`: it is not there.
        package let reason: String?
    }

    package private(set) var images = 0
    package private(set) var defects: [Defect] = []
    /// Downloads that were not gone on with: files and bytes.
    package private(set) var parts = ImageLayout.Reclaimed()

    /// Looks at everything that has a name; `thoroughly` reads every blob and checks its digest.
    package static func take(_ layout: borrowing ImageLayout, thoroughly: Bool) throws -> ImageCensus {
        var census = ImageCensus()
        var seen: Set<Digest> = []
        for descriptor in try layout.index().manifests {
            census.images += 1
            census.look(at: descriptor, of: descriptor.storedName, in: layout, thoroughly, &seen, depth: 0)
        }
        for entry in try layout.ingest.entries() where entry.kind == .regular {
            let text = entry.name.text
            guard text.hasPrefix("new-") || text.hasSuffix(".part"),
                let status = try? layout.ingest.status(entry.name)
            else { continue }
            census.parts.files += 1
            census.parts.bytes += status.blocks * 512
        }
        return census
    }

    private mutating func look(
        at descriptor: Descriptor, of image: String, in layout: borrowing ImageLayout, _ thoroughly: Bool,
        _ seen: inout Set<Digest>, depth: Int
    ) {
        guard depth <= ImageIndex.depthLimit, seen.insert(descriptor.digest).inserted else { return }
        guard descriptor.mediaType.isIndex || descriptor.mediaType.isManifest else {
            switch Self.condition(of: descriptor, in: layout, thoroughly) {
            case .fine: return
            case .missing: defects.append(Defect(image: image, digest: descriptor.digest, reason: nil))
            case .damaged(let reason):
                defects.append(Defect(image: image, digest: descriptor.digest, reason: reason))
            }
            return
        }
        do {
            let bytes = try layout.read(descriptor)
            let name = descriptor.digest.description
            if let index = try? JSON.decode(ImageIndex.self, from: bytes, name: name) {
                // Only the platforms that were asked for are here.
                for child in index.manifests where layout.holds(child.digest) {
                    look(at: child, of: image, in: layout, thoroughly, &seen, depth: depth + 1)
                }
            } else {
                let manifest = try JSON.decode(Manifest.self, from: bytes, name: name)
                for part in [manifest.config] + manifest.layers {
                    look(at: part, of: image, in: layout, thoroughly, &seen, depth: depth + 1)
                }
            }
        } catch {
            let isMissing = error as? BlobError == .missing(descriptor.digest)
            let reason = (error as? any UserFacing)?.message ?? "it cannot be read"
            defects.append(Defect(image: image, digest: descriptor.digest, reason: isMissing ? nil : reason))
        }
    }

    /// How a blob is.
    private enum Condition { case fine, missing, damaged(String) }

    private static func condition(
        of descriptor: Descriptor, in layout: borrowing ImageLayout, _ thoroughly: Bool
    ) -> Condition {
        do {
            let file = try layout.open(descriptor)
            guard thoroughly else { return .fine }
            var reader = try VerifiedReader(file, for: descriptor)
            try reader.drain()
            return .fine
        } catch BlobError.missing {
            return .missing
        } catch {
            return .damaged((error as? any UserFacing)?.message ?? "it cannot be read")
        }
    }
}

extension ImageLayout {
    /// Opens a store that is there, and makes nothing; `nil` when there is none.
    package static func openExisting(
        _ path: HostPath, keeping needed: @escaping Needed = { [] }
    ) throws -> ImageLayout? {
        guard access((path / "oci-layout").rawValue, F_OK) == 0 else { return nil }
        let root = try Directory.open(path)
        let marker = try root.readFile("oci-layout", limit: 4096)
        try checkVersion(marker)
        let blobs = try root.openDirectory("blobs")
        let ingest = try root.openDirectory("ingest")
        return ImageLayout(root, blobs, ingest, keeping: needed)
    }

    /// The names in the store at `path`, sorted, for whoever may not look at the content.
    package static func publicNames(_ path: HostPath) throws -> [String] {
        guard access((path / "index.json").rawValue, R_OK) == 0 else { return [] }
        let bytes = try Directory.open(path).readFile("index.json", limit: documentLimit)
        let index = try JSON.decode(ImageIndex.self, from: bytes, name: "index.json")
        return index.manifests.compactMap(\.referenceName).sorted()
    }

    /// Whether there is a file of that name, whatever is in it.
    func holds(_ digest: Digest) -> Bool {
        guard let folder = try? folder(digest.algorithm, make: false) else { return false }
        return (try? folder.statusIfPresent(RawString(digest.hex))) ?? nil != nil
    }
}
