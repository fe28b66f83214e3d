import CLI
import OCI
import Platform

struct ImagePullCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "pull", aliases: ["image pull"], summary: "Fetch images into the store", group: "Images",
        description: [
            "Fetches images from their registries, or what has changed of them, and makes no container. What is there already is not fetched again; a pull that was interrupted goes on where it ended."
        ],
        operands: [Operand("IMAGE", .image, repeatable: true)],
        flags: [
            .architecture("Take the image for this processor"), .allowInsecure, .quietImages,
        ],
        examples: [.init("chroot-distro pull debian:12"), .init("chroot-distro pull -a arm64 alpine")])

    private let references: [Reference]
    private let platform: ImagePlatform
    private let allowsInsecure: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        var references: [Reference] = []
        for text in try arguments.operands("IMAGE") {
            references.append(try ParsedArguments.reference(text, Self.spec.name))
        }
        self.references = references
        platform = try arguments.platform() ?? .host
        allowsInsecure = arguments.isSet("allow-insecure")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let puller = try context.puller(allowsInsecure: allowsInsecure)
        let images = try context.images()
        _ = try? images.sweepParts(olderThan: 14 * 86400)
        for reference in references {
            context.diagnostics.info("Pulling \(Quoted(reference.familiar)) for \(platform)")
            let progress = InstallProgress(context.diagnostics, until: .ready)
            defer { progress.close() }
            let image = try puller.fetch(
                reference, for: platform, policy: .always, in: images, observer: progress)
            progress.close()
            let news = image.isFromStore ? "is up to date" : "pulled"
            context.diagnostics.info(
                "\(Quoted(reference.familiar)) \(news): \(image.descriptor.digest), \(ByteCount(image.size))")
        }
        return .success
    }
}
