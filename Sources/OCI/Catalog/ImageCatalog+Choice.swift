import Platform

/// How a person's words lead to images of the store.
extension ImageCatalog {
    /// Digits of an ID that have to be given at least.
    private static let shortest = 4

    /// Every image that `text` means: by its name, else by the first digits of its ID or of its manifest's digest.
    ///
    /// With a `platform` only those for it. Digits that several images have are an error that lists them.
    package func select(_ text: String, platform: ImagePlatform? = nil) throws(ImageChoiceError)
        -> [StoredImage]
    {
        let all: [StoredImage]
        if let found = named(text) { all = found } else { all = try identified(text) }
        guard let platform else { return all }
        let exact = all.filter { $0.platform == platform }
        if !exact.isEmpty { return exact }
        let suitable = all.filter { image in image.platform.flatMap { platform.distance(to: $0) } != nil }
        guard !suitable.isEmpty else {
            throw .notFor(platform, text, offers: Self.unique(all.compactMap(\.platform)))
        }
        return suitable
    }

    /// The one image that `text` means; of several platforms the one that is asked for, or that suits `host` best.
    package func choose(
        _ text: String, platform: ImagePlatform?, host: ImagePlatform = .host
    ) throws(ImageChoiceError) -> StoredImage {
        let candidates = try select(text, platform: platform)
        let wanted = platform ?? host
        let suitable = candidates.compactMap { image in
            image.platform.flatMap { wanted.distance(to: $0) }.map { (image, $0) }
        }
        if let best = suitable.min(by: { $0.1 < $1.1 }) { return best.0 }
        // Where there is but one, nothing is to be chosen.
        if let only = candidates.first, Set(candidates.map(\.descriptor.digest)).count == 1 { return only }
        throw .notFor(wanted, text, offers: Self.unique(candidates.compactMap(\.platform)))
    }

    private func named(_ text: String) -> [StoredImage]? {
        guard let reference = try? Reference(text) else { return nil }
        let exact = images.filter { $0.name == reference.description }
        if !exact.isEmpty { return exact }
        guard let digest = reference.digest else { return nil }
        let pinned = images.filter {
            ($0.top.digest == digest || $0.descriptor.digest == digest)
                && (try? Reference($0.name))?.name == reference.name
        }
        return pinned.isEmpty ? nil : pinned
    }

    private func identified(_ text: String) throws(ImageChoiceError) -> [StoredImage] {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digits.utf8.count >= Self.shortest, digits.utf8.allSatisfy(Self.isHexDigit) else {
            throw unknown(text)
        }
        let byID = images.filter { $0.id.hex.hasPrefix(digits) }
        if !byID.isEmpty {
            guard Set(byID.map(\.id)).count == 1 else { throw .ambiguous(text, byID.map(Self.title)) }
            return byID
        }
        let byDigest = images.filter {
            $0.descriptor.digest.hex.hasPrefix(digits) || $0.top.digest.hex.hasPrefix(digits)
        }
        let meant = Set(
            byDigest.map { $0.top.digest.hex.hasPrefix(digits) ? $0.top.digest : $0.descriptor.digest })
        guard !byDigest.isEmpty else { throw unknown(text) }
        guard meant.count == 1 else { throw .ambiguous(text, byDigest.map(Self.title)) }
        return byDigest
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func title(_ image: StoredImage) -> String {
        "\(image.id.hex.prefix(20)) \(image.familiarName)"
    }

    private func unknown(_ text: String) -> ImageChoiceError {
        let names = images.map(\.familiarName) + damaged.map { StoredImage.familiar($0) }
        let bare = names.compactMap { $0.hasSuffix(":latest") ? String($0.dropLast(7)) : nil }
        return .unknown(text, near: NearMiss.of(text, among: names + bare))
    }

    private static func unique(_ platforms: [ImagePlatform]) -> [ImagePlatform] {
        var seen: Set<ImagePlatform> = []
        return platforms.filter { seen.insert($0).inserted }
    }
}

/// Words that lead to no image, or to too many.
package enum ImageChoiceError: UserFacing, Hashable {
    case unknown(String, near: String?)
    case ambiguous(String, [String])
    case notFor(ImagePlatform, String, offers: [ImagePlatform])

    package var message: String {
        switch self {
        case .unknown(let text, _): "there is no image \(Quoted(text)) in the image store"
        case .ambiguous(let text, let images):
            "\(Quoted(text)) can mean several images: \(images.map { Quoted($0).description }.joined(separator: ", "))"
        case .notFor(let platform, let text, let offers):
            "\(Quoted(text)) is not in the image store for \(Quoted(platform.description))"
                + (offers.isEmpty
                    ? ""
                    : "; it is for \(offers.map { Quoted($0.description).description }.joined(separator: ", "))")
        }
    }

    package var hint: String? {
        switch self {
        case .unknown(_, let near?): "Did you mean \(Quoted(near))?"
        case .unknown: "See what is there: chroot-distro image ls"
        case .ambiguous: "Give more of its digits, or its name."
        case .notFor: "Fetch it: chroot-distro pull --architecture ARCH IMAGE"
        }
    }
}
