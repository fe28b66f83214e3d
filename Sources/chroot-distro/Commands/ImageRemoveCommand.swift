import CLI
import OCI
import Platform

struct ImageRemoveCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image rm", aliases: ["image remove"], summary: "Remove images from the store", group: "Images",
        description: [
            "IMAGE is a name, or the first digits of an ID or digest, four at least. An ID stands for all its names. The layers that no other image has, and no container was made of, go with it. Nothing is removed while another command uses the image store."
        ],
        operands: [Operand("IMAGE", .image, repeatable: true)],
        flags: [.architecture("Remove it for this processor only"), .quietImages],
        examples: [
            .init("chroot-distro image rm debian:12"), .init("chroot-distro image rm 4f5a9c -a arm64"),
        ])

    private let words: [String]
    private let platform: ImagePlatform?
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("IMAGE")
        platform = try arguments.platform()
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        try Self.remove(words, platform, context)
        return .success
    }

    /// Removes what each word means; nothing when one of them means nothing.
    static func remove(_ words: [String], _ platform: ImagePlatform?, _ context: borrowing Context) throws {
        guard let images = try context.existingImages() else {
            throw ImageChoiceError.unknown(words.first ?? "", near: nil)
        }
        let sole = try images.claim()
        let catalog = try ImageCatalog(images)
        var chosen: [StoredImage] = []
        var damaged: [String] = []
        for word in words {
            if let name = damagedName(word, catalog) {
                damaged.append(name)
            } else {
                chosen += try catalog.select(word, platform: platform)
            }
        }
        let removal = try sole.remove(chosen)
        tell(removal, context.diagnostics)
        for name in damaged {
            try sole.remove(damaged: name)
            context.diagnostics.info("Removed \(Quoted(StoredImage.familiar(name)))")
        }
        context.diagnostics.info("Freed \(ByteCount(removal.reclaimed.bytes))")
    }

    /// Says what is gone.
    static func tell(_ removal: SoleUse.Removal, _ diagnostics: Diagnostics) {
        for name in removal.names { diagnostics.info("Removed \(Quoted(StoredImage.familiar(name)))") }
        for (name, platform) in removal.platforms {
            let title = platform.map { " for \(Quoted($0.description))" } ?? ""
            diagnostics.info("Removed \(Quoted(StoredImage.familiar(name)))\(title)")
        }
    }

    private static func damagedName(_ word: String, _ catalog: ImageCatalog) -> String? {
        guard let name = try? Reference(word).description else { return nil }
        return catalog.damaged.first { $0 == name }
    }
}
