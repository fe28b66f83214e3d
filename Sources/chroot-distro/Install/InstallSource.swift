import Libc
import OCI
import Platform
import Store

/// Where a container is to come from, told by the spelling alone.
enum InstallSource: Equatable {
    case registry(Reference)
    /// An archive or an OCI layout directory on this host.
    case path(HostPath)
    case url(String)
    case standardInput

    /// `/`, `./`, `../` and `~` begin a path; a bare word is always an image.
    init(_ text: String, home: HostPath?) throws {
        if text == "-" {
            self = .standardInput
        } else if text.hasPrefix("http://") || text.hasPrefix("https://") {
            self = .url(text)
        } else if text.hasPrefix("~/"), let home {
            self = .path(home / String(text.dropFirst(2)))
        } else if text == "." || text == ".." || ["/", "./", "../"].contains(where: text.hasPrefix) {
            self = .path(HostPath(text))
        } else {
            self = .registry(try Reference(text))
        }
    }

    /// The name of a container that was given none.
    func defaultName() throws -> ContainerName {
        let text: String
        switch self {
        case .registry(let reference): text = reference.defaultContainerName
        case .path(let path): text = Self.name(ofFile: path.absolute.lastComponent)
        case .url(let url):
            let path = url.prefix { $0 != "?" && $0 != "#" }
            text = Self.name(ofFile: path.split(separator: "/").last.map(String.init) ?? "")
        case .standardInput: throw InstallError.noName("standard input")
        }
        do { return try ContainerName(text) } catch { throw InstallError.noName(text) }
    }

    private static let suffixes = [
        ".oci.tar.gz", ".oci.tar.xz", ".oci.tar.zst", ".oci.tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2",
        ".tbz",
        ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tlzma", ".tar.zst", ".tzst", ".tar",
        ".sqsh", ".squashfs", ".sqfs",
    ]

    /// A file's name without its suffix, in the letters that a container's name may have.
    static func name(ofFile file: String) -> String {
        let lower = file.lowercased()
        let stem = suffixes.first(where: lower.hasSuffix).map { lower.dropLast($0.count) } ?? lower[...]
        var name = ""
        for scalar in stem.unicodeScalars {
            let isKept = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            let letter: Character = isKept || "_.".unicodeScalars.contains(scalar) ? Character(scalar) : "-"
            if letter == "-", name.hasSuffix("-") { continue }
            if name.isEmpty, !isKept { continue }
            name.append(letter)
        }
        while name.hasSuffix("-") { name.removeLast() }
        return name
    }
}

/// Why an installation cannot begin, apart from what its source says.
enum InstallError: UserFacing, Equatable {
    case noName(String)
    case nameForMany
    case notAFile(HostPath)
    /// What was found wrong in an archive; both parts are safe to print.
    case badArchive(HostPath, String, hint: String?)
    case noSpace(HostPath)
    case badManifest(HostPath)
    case sameName(ContainerName)

    var message: String {
        switch self {
        case .noName(let text): "no name for the container can be made of \(Quoted(text))"
        case .nameForMany: "--name fits one image only, but several are given"
        case .notAFile(let path): "\(path) is neither an archive nor an image layout"
        case .badArchive(let path, let reason, _): "\(path): \(reason)"
        case .badManifest(let path): "\(path): the manifest.json in this backup is not valid"
        case .sameName(let name): "two of the images would both become container \(name)"
        case .noSpace(let path): "the disk with \(path) is full"
        }
    }

    var hint: String? {
        switch self {
        case .noName: "Give one with --name."
        case .badManifest: "Make the backup anew, or leave manifest.json out of it."
        case .sameName: "Install them one by one, each with a --name of its own."
        case .nameForMany: "Install them one by one."
        case .notAFile: "Give a tar archive, or a directory with an oci-layout file in it."
        case .badArchive(_, _, let hint): hint
        case .noSpace: "Free some space, or choose another disk with XDG_DATA_HOME. Nothing was installed."
        }
    }
}
