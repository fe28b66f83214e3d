import CLI
import OCI
import Platform

struct ImageHistoryCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image history", summary: "Show how an image came to be", group: "Images",
        description: ["Shows each step that made the image, the last one first, and the layer that it left."],
        operands: [Operand("IMAGE", .image)],
        flags: ListingFormat.flags + [.architecture("Show the image for this processor")],
        examples: [.init("chroot-distro image history debian:12")])

    private let image: String
    private let platform: ImagePlatform?
    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        platform = try arguments.platform()
        format = ListingFormat(arguments)
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let found = try context.catalog().choose(image, platform: platform)
        try context.print(HistoryStep.steps(of: found), format)
        return .success
    }
}

/// A step in the making of an image.
struct HistoryStep: Listed {
    let created: String?
    let createdBy: String?
    let comment: String?
    let author: String?
    /// `nil` for a step that left no layer.
    let layer: String?
    let size: Int64?

    static let columns = [Column("LAYER"), Column("CREATED"), Column("SIZE", .right), Column("CREATED BY")]
    static let plural = "history"

    var row: Row {
        Row([
            layer.flatMap { try? Digest($0).short } ?? "-",
            created.flatMap { Timestamp($0)?.relative() } ?? "-",
            size.map { ByteCount($0).description } ?? "0 B",
            createdBy ?? comment ?? "",
        ])
    }

    var word: String { layer ?? "-" }

    /// The last one first.
    ///
    /// Layers of which the history says nothing are steps without words.
    static func steps(of image: StoredImage) -> [HistoryStep] {
        var layers = image.manifest.layers[...]
        var steps: [HistoryStep] = []
        for entry in image.config.history {
            steps.append(HistoryStep(entry, entry.emptyLayer == true ? nil : layers.popFirst()))
        }
        steps += layers.map { HistoryStep(nil, $0) }
        return steps.reversed()
    }

    private init(_ entry: History?, _ layer: Descriptor?) {
        created = entry?.created.flatMap { Timestamp($0) }?.description
        createdBy = entry?.createdBy
        comment = entry?.comment
        author = entry?.author
        self.layer = layer?.digest.description
        size = layer?.size
    }
}
