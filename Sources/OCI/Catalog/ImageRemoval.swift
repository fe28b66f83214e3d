import Platform

extension SoleUse {
    /// What a removal did.
    package struct Removal: Sendable {
        /// References that name nothing any more.
        package var names: [String] = []
        /// Platforms that were taken out of an image that stays.
        package var platforms: [(name: String, platform: ImagePlatform?)] = []
        package var reclaimed = ImageLayout.Reclaimed()
    }

    /// Takes `images` out of the store, and with them the content that nothing else needs.
    ///
    /// A name goes when all its images go; else only the manifests do. One that stays under another name is an error,
    /// and nothing goes, unless `sparesShared` leaves such a one where it is. What is not in the store any more as it
    /// was found is passed over.
    package func remove(_ images: [StoredImage], sparingShared sparesShared: Bool = false) throws -> Removal {
        let there = try ImageCatalog(store).images
        let wanted = Set(images.map(Key.init))
        let names = Set(there.map(\.name)).filter { name in
            there.allSatisfy { $0.name != name || wanted.contains(Key($0)) }
        }
        let single = there.filter { wanted.contains(Key($0)) && !names.contains($0.name) }
        var parts: [StoredImage] = []
        for image in single {
            guard let other = try holder(of: image, besides: wanted, names) else {
                parts.append(image)
                continue
            }
            if !sparesShared { throw SharedPlatform(name: image.name, other: other) }
        }
        // Names only go when it is known what stays.
        let needed = try store.needed()
        let tops = there.filter { names.contains($0.name) }.map(\.top)
        let going = Reach(parts.map(\.descriptor) + tops, in: store).digests
        if !names.isEmpty { try store.untag { names.contains($0.storedName) } }
        for part in parts { store.evict(part.descriptor.digest) }
        return Removal(
            names: names.sorted(), platforms: parts.map { ($0.name, $0.platform) },
            reclaimed: try discard(going.subtracting(needed)))
    }

    /// Takes away a name of which nothing can be read.
    package func remove(damaged name: String) throws { try store.untag { $0.storedName == name } }

    /// An image of a name, as it was found.
    private struct Key: Hashable {
        let name: String
        let top: Digest
        let digest: Digest

        init(_ image: StoredImage) {
            name = image.name
            top = image.top.digest
            digest = image.descriptor.digest
        }

        init(_ top: Descriptor, _ image: StoredImage) {
            name = top.storedName
            self.top = top.digest
            digest = image.descriptor.digest
        }
    }

    /// The name that keeps an image when those of `wanted` and all of `names` go.
    private func holder(of image: StoredImage, besides wanted: Set<Key>, _ names: Set<String>) throws
        -> String?
    {
        try store.index().manifests.first { top in
            !names.contains(top.storedName) && !wanted.contains(Key(top, image))
                && Reach([top], in: store).digests.contains(image.descriptor.digest)
        }?.storedName
    }
}

/// One platform of an image cannot go, because another name has it, too.
package struct SharedPlatform: UserFacing, Hashable {
    package let name: String
    package let other: String

    package var message: String {
        "this platform of \(Quoted(StoredImage.familiar(name))) is also part of \(Quoted(StoredImage.familiar(other)))"
    }
    package var hint: String? { "Remove both, or the whole of one of them." }
}
