import Archive
import CLI
import CLinux
import Libc
import OCI
import Platform

struct ImageFilesCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image files", summary: "List what an image or one of its layers holds", group: "Images",
        description: [
            "Lists the files of an image as a container would have them, or with --layer those of one layer, where what it hides of the layers below is marked. Layers are numbered from 1, the lowest, or named by the first digits of their digest.",
            "Everything is verified before it is listed.",
        ],
        operands: [Operand("IMAGE", .image)],
        flags: ListingFormat.flags + [
            Flag("layer", short: "l", value: "LAYER", help: "List one layer: its number or digest"),
            .architecture("Look into the image for this processor"),
        ],
        examples: [
            .init("chroot-distro image files alpine"),
            .init("chroot-distro image files debian:12 --layer 1 --json"),
        ])

    private let image: String
    private let layer: String?
    private let platform: ImagePlatform?
    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        layer = try arguments.text("layer")
        platform = try arguments.platform()
        format = ListingFormat(arguments)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let images = try context.images()
        let use = try images.beginUse()
        let found = try ImageCatalog(images).choose(image, platform: platform)
        let files =
            if let layer {
                try ImageFiles.list(layer: index(of: layer, in: found), of: found, in: images)
            } else {
                try ImageFiles.list(found, in: images)
            }
        use.release()
        try context.print(files.map(ListedFile.init), format)
        return .success
    }

    private func index(of text: String, in image: StoredImage) throws -> Int {
        let layers = image.manifest.layers
        if let number = Int(text), layers.indices.contains(number - 1), text.utf8.count < 4 {
            return number - 1
        }
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        let matches = layers.indices.filter { layers[$0].digest.hex.hasPrefix(digits) }
        guard let match = matches.first, !digits.isEmpty, Set(matches.map { layers[$0].digest }).count == 1
        else {
            throw NoLayer(text: text, image: image.familiarName, count: layers.count)
        }
        return match
    }
}

/// Words that name no layer, or several.
struct NoLayer: UserFacing, Equatable {
    let text: String
    let image: String
    let count: Int

    var message: String { "\(Quoted(text)) is not a layer of \(Quoted(image)), or could be several" }
    var hint: String? { "It has \(count); see: chroot-distro image history \(Quoted(image))" }
}

/// A file in a list.
private struct ListedFile: Listed {
    let path: String
    let type: String
    let mode: String
    let uid: UInt32
    let gid: UInt32
    let size: Int64
    let modified: String
    let target: String?
    /// From 1, the lowest.
    let layer: Int
    let mark: String

    static let columns = [
        Column("MODE"), Column("OWNER"), Column("SIZE", .right), Column("MODIFIED"), Column("PATH"),
    ]
    static let plural = "files"

    init(_ file: ImageFile) {
        path = String(decoding: file.path.absolute.bytes, as: UTF8.self)
        type = Self.type(file.kind)
        let octal = String(file.permissions, radix: 8)
        mode = String(repeating: "0", count: max(0, 4 - octal.count)) + octal
        uid = file.owner
        gid = file.group
        size = file.size
        modified = Timestamp(seconds: Int64(file.modified.tv_sec)).description
        let isLink = file.kind == .symbolicLink || file.kind == .hardLink
        target = isLink ? String(decoding: file.target.bytes, as: UTF8.self) : nil
        layer = file.layer + 1
        mark = file.mark.rawValue
    }

    private static func type(_ kind: TarEntry.Kind) -> String {
        switch kind {
        case .regular: "file"
        case .directory: "directory"
        case .symbolicLink: "symlink"
        case .hardLink: "hardlink"
        case .characterDevice: "character"
        case .blockDevice: "block"
        case .fifo: "fifo"
        case .unknown: "unknown"
        }
    }

    var row: Row {
        let words =
            switch mark {
            case "hides": "\(path) (removed)"
            case "opaque": "\(path)/ (emptied)"
            default: path + (target.map { (type == "symlink" ? " -> " : " = ") + $0 } ?? "")
            }
        return Row([mode, "\(uid):\(gid)", "\(size)", modified, words])
    }

    var word: String { path }
}
