import Libc
import Platform

/// The operating system and processor that an image is made for, in the words of the OCI image index.
package struct ImagePlatform: Hashable, Sendable {
    package let os: String
    package let architecture: String
    /// The processor's generation, such as `v6` of `arm`; `nil` for what every one of them runs.
    package let variant: String?

    /// Brings `os` and processor into their one spelling: `arm64/v8` and `amd64/v1` are the plain ones, and a plain
    /// `arm` means `v7`.
    package init(os: String = "linux", architecture: String, variant: String? = nil) {
        self.os = os.isEmpty ? "linux" : os.lowercased()
        let spelled = variant?.lowercased() ?? ""
        let known = Self.spellings[architecture.lowercased()] ?? (architecture.lowercased(), nil)
        self.architecture = known.0
        switch (known.0, spelled.isEmpty ? known.1 ?? "" : spelled) {
        case ("arm64", "v8"), ("arm64", "8"), ("amd64", "v1"), (_, ""):
            self.variant = known.0 == "arm" ? "v7" : nil
        case (_, let other): self.variant = other.hasPrefix("v") ? other : "v" + other
        }
    }

    /// Reads `aarch64`, `arm64`, `linux/arm/v6` and every other spelling in use.
    package init(_ text: String) throws(ImagePlatformError) {
        var parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let os = parts.count > 1 && parts[0] == "linux" ? parts.removeFirst() : "linux"
        guard (1...2).contains(parts.count), let known = Self.spellings[parts[0]] else {
            throw .unknown(text)
        }
        if parts.count == 2 {
            guard known.1 == nil || known.0 == "arm", Self.isVariant(parts[1]) else { throw .unknown(text) }
            self.init(os: os, architecture: known.0, variant: parts[1])
        } else {
            self.init(os: os, architecture: known.0, variant: known.1)
        }
    }

    /// The machine that this program runs on (uname(2)).
    package static var host: ImagePlatform {
        var name = utsname()
        guard uname(&name) == 0 else { return ImagePlatform(architecture: "amd64") }
        let machine = withUnsafeBytes(of: &name.machine) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let known = Self.spellings[machine] ?? (machine, nil)
        return ImagePlatform(architecture: known.0, variant: known.1)
    }

    /// The kernel's own name of the processor, as `--architecture` takes it.
    package var nativeName: String {
        switch architecture {
        case "amd64": "x86_64"
        case "arm64": "aarch64"
        case "386": "i686"
        default: architecture
        }
    }

    /// Every spelling of a processor's name, with Docker's name and the variant that it implies.
    private static let spellings: [String: (String, String?)] = [
        "amd64": ("amd64", nil), "x86_64": ("amd64", nil), "x86-64": ("amd64", nil), "x64": ("amd64", nil),
        "386": ("386", nil), "i386": ("386", nil), "i486": ("386", nil), "i586": ("386", nil),
        "i686": ("386", nil), "x86": ("386", nil),
        "arm64": ("arm64", nil), "aarch64": ("arm64", nil),
        "arm": ("arm", nil), "armhf": ("arm", "v7"), "armv7l": ("arm", "v7"), "armv7": ("arm", "v7"),
        "armv8l": ("arm", "v7"), "armv6l": ("arm", "v6"), "armv6": ("arm", "v6"), "armel": ("arm", "v5"),
        "armv5l": ("arm", "v5"), "armv5": ("arm", "v5"),
        "riscv64": ("riscv64", nil), "ppc64le": ("ppc64le", nil), "s390x": ("s390x", nil),
        "loong64": ("loong64", nil), "loongarch64": ("loong64", nil), "mips64le": ("mips64le", nil),
    ]

    private static func isVariant(_ text: String) -> Bool {
        text.count <= 4 && text.utf8.contains { (0x30...0x39).contains($0) }
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || $0 == UInt8(ascii: "v") || $0 == UInt8(ascii: ".")
            }
    }

    /// How well an image for `other` runs here: 0 is exactly this, `nil` is not at all.
    package func distance(to other: ImagePlatform) -> Int? {
        guard os == other.os, architecture == other.architecture else { return nil }
        if variant == other.variant { return 0 }
        // A processor runs what was made for the generations before it.
        guard let mine = Self.generation(variant ?? (architecture == "arm64" ? "v8" : "v1")),
            let theirs = Self.generation(other.variant ?? (architecture == "arm64" ? "v8" : "v1")),
            theirs <= mine
        else { return nil }
        return mine - theirs
    }

    private static func generation(_ variant: String) -> Int? {
        let digits = variant.dropFirst()
        let parts = digits.split(separator: ".")
        guard (1...2).contains(parts.count), let first = UInt8(parts[0]) else { return nil }
        return Int(first) * 1000 + (parts.count == 2 ? Int(UInt8(parts[1]) ?? 0) : 0)
    }
}

extension ImagePlatform: CustomStringConvertible {
    /// Docker's spelling, such as `linux/arm/v7`.
    package var description: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }
}

extension ImagePlatform: Codable {
    private enum Key: String, CodingKey { case os, architecture, variant }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            os: try values.decodeIfPresent(String.self, forKey: .os) ?? "linux",
            architecture: try values.decodeIfPresent(String.self, forKey: .architecture) ?? "unknown",
            variant: try values.decodeIfPresent(String.self, forKey: .variant))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(os, forKey: .os)
        try values.encode(architecture, forKey: .architecture)
        try values.encodeIfPresent(variant, forKey: .variant)
    }
}

/// A platform that is not known, or not on offer.
package enum ImagePlatformError: UserFacing, Hashable {
    case unknown(String)
    case notOffered(ImagePlatform, image: String, offers: [ImagePlatform])

    package var message: String {
        switch self {
        case .unknown(let text): "\(Quoted(text)) is not an architecture that is known here"
        case .notOffered(let wanted, let image, let offers):
            offers.isEmpty
                ? "\(Quoted(image)) has no image for any platform"
                : "\(Quoted(image)) has no image for \(Quoted(wanted.description)); it has "
                    + offers.map { Quoted($0.description).description }.joined(separator: ", ")
        }
    }

    package var hint: String? {
        switch self {
        case .unknown:
            "Known are aarch64, arm, i686, riscv64, x86_64, ppc64le, s390x, loong64 and Docker's own names such as"
                + " linux/arm/v6."
        case .notOffered(_, _, let offers):
            offers.first.map {
                "Choose one of them, for example with --architecture \(Quoted($0.optionText))."
            }
        }
    }
}

extension ImagePlatform {
    fileprivate var optionText: String { variant == nil ? nativeName : description }
}
