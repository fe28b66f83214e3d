import CLI
import OCI
import Platform

struct ImageInspectCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image inspect", summary: "Show what an image says of itself", group: "Images",
        description: [
            "Prints one JSON document: names, digests, platform, layers, and how a container of it is started. What a terminal would obey in it is escaped."
        ],
        operands: [Operand("IMAGE", .image)],
        flags: [
            .architecture("Show the image for this processor"),
            Flag("json", help: "The same: there is no other form"),
        ],
        examples: [.init("chroot-distro image inspect debian:12")])

    private let image: String
    private let platform: ImagePlatform?

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        platform = try arguments.platform()
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let catalog = try context.catalog()
        let found = try catalog.choose(image, platform: platform)
        try FileDescriptor.standardOutput(JSONListing.text(ImageReport(found, in: catalog)))
        return .success
    }
}

/// What is known of one image (docs/json.md, "image inspect").
private struct ImageReport: Encodable {
    struct Layer: Encodable {
        let digest: String
        let diffID: String?
        let mediaType: String
        let size: Int64
        let present: Bool
    }

    let schema = 1
    let names: [String]
    let id: String
    let digest: String
    let index: String?
    let mediaType: String
    let platform: String?
    let platforms: [String]
    let created: String?
    let author: String?
    let size: Int64
    let layers: [Layer]
    let config: ContainerConfig
    let annotations: [String: String]?
    let history: [HistoryStep]

    init(_ image: StoredImage, in catalog: ImageCatalog) {
        names = catalog.images.filter { $0.descriptor.digest == image.descriptor.digest }.map(\.name)
        id = image.id.description
        digest = image.descriptor.digest.description
        index = image.top.digest == image.descriptor.digest ? nil : image.top.digest.description
        mediaType = image.descriptor.mediaType.rawValue
        platform = image.platform?.description
        platforms = catalog.images.filter { $0.name == image.name }.compactMap { $0.platform?.description }
        created = image.created?.description
        author = image.config.author
        size = image.size
        let missing = Set(image.missing.map(\.digest))
        let differences = image.config.diffIDs
        layers = image.manifest.layers.enumerated().map { index, layer in
            Layer(
                digest: layer.digest.description,
                diffID: index < differences.count ? differences[index].description : nil,
                mediaType: layer.mediaType.rawValue, size: layer.size,
                present: !missing.contains(layer.digest))
        }
        config = image.config.config
        annotations = image.manifest.annotations
        history = HistoryStep.steps(of: image)
    }
}
