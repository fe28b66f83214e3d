import Platform

extension ImageLayout {
    /// What a removal did.
    package struct Removal: Sendable {
        /// References that name nothing any more.
        package var names: [String] = []
        /// Platforms that were taken out of an image that stays.
        package var platforms: [(name: String, platform: ImagePlatform?)] = []
        /// `nil` when another process uses the store: the content then stays until garbage is collected.
        package var reclaimed: Reclaimed?
    }

    /// Takes `images` out of the store, and with them the content that nothing else leads to.
    ///
    /// A name goes when all its images go; else only the manifests do, which no other name may lead to.
    package func remove(_ images: [StoredImage], of catalog: ImageCatalog) throws -> Removal {
        var removal = Removal()
        var manifests: [StoredImage] = []
        let chosen = Set(images.map(Key.init))
        for name in Set(images.map(\.name)).sorted() {
            let rest = catalog.images.filter { $0.name == name && !chosen.contains(Key($0)) }
            if rest.isEmpty {
                removal.names.append(name)
            } else {
                manifests += images.filter { $0.name == name }
            }
        }
        let going = Reach(images.map(\.descriptor) + tops(of: removal.names, images), in: self).digests
        if !manifests.isEmpty { try requireAlone(manifests, beside: removal.names) }
        let names = Set(removal.names)
        if !names.isEmpty { try untag { $0.map(names.contains) ?? false } }
        removal.platforms = manifests.map { ($0.name, $0.platform) }
        if !manifests.isEmpty {
            let lock = try exclusive()
            for image in manifests { evict(image.descriptor.digest) }
            lock.release()
        }
        removal.reclaimed = try discard(going)
        return removal
    }

    /// Takes away a name of which nothing can be read.
    package func remove(damaged name: String) throws { try untag { $0 == name } }

    private struct Key: Hashable {
        let name: String
        let digest: Digest
        init(_ image: StoredImage) {
            name = image.name
            digest = image.descriptor.digest
        }
    }

    private func tops(of names: [String], _ images: [StoredImage]) -> [Descriptor] {
        images.filter { names.contains($0.name) }.map(\.top)
    }

    /// Refuses to take a manifest out that is also part of another image.
    private func requireAlone(_ manifests: [StoredImage], beside names: [String]) throws {
        for image in manifests {
            let others = try index().manifests.filter {
                $0.referenceName != image.name && !names.contains($0.referenceName ?? "")
            }
            for other in others where Reach([other], in: self).digests.contains(image.descriptor.digest) {
                throw SharedPlatform(name: image.name, other: other.referenceName ?? other.digest.description)
            }
        }
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
