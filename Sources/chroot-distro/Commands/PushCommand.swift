import CLI
import OCI
import Platform

struct PushCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "push", aliases: ["image push"], summary: "Upload an image to a registry", group: "Images",
        description: [
            "Uploads an image of the store under its own name, or under NAME. Of an image for several platforms all that are in the store are uploaded, as an index; with -a that one alone.",
            "What the registry has already is not sent, an upload that breaks is gone on with, and the name is only given when everything is there. Credentials are those of `registry login`, of docker and podman, or CD_DOCKER_AUTH.",
        ],
        operands: [Operand("IMAGE", .image), Operand("NAME", .image, optional: true)],
        flags: [.architecture("Upload the image for this processor"), .allowInsecure, .quietImages],
        examples: [
            .init("chroot-distro push registry.lan:5000/team/app:1.0"),
            .init("chroot-distro push debian:12 ghcr.io/me/debian:12"),
        ])

    private let image: String
    private let name: Reference?
    private let platform: ImagePlatform?
    private let allowsInsecure: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        if let text = try arguments.optionalOperand("NAME") {
            name = try ParsedArguments.reference(text, "push")
        } else {
            name = nil
        }
        platform = try arguments.platform()
        allowsInsecure = arguments.isSet("allow-insecure")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let images = try context.images()
        let use = try images.beginUse()
        let catalog = try ImageCatalog(images)
        let chosen = try catalog.select(image, platform: platform)
        guard let first = try platform == nil ? chosen.first : catalog.choose(image, platform: platform)
        else {
            throw ImageChoiceError.unknown(image, near: nil)
        }
        let target = try name ?? Reference(first.name)
        guard target.digest == nil else { throw NoDestination(name: first.familiarName) }
        let shipment = try Shipment(
            platform == nil ? first.top : first.descriptor, named: first.name, in: images)
        tell(shipment, target, context.diagnostics)
        let progress = InstallProgress(context.diagnostics, until: .ready)
        defer { progress.close() }
        let pusher = try Pusher(context.puller(allowsInsecure: allowsInsecure))
        let outcome = try pusher.push(
            shipment, as: target, from: images, knowing: catalog, observer: progress)
        progress.close()
        use.release()
        let there = outcome.present + outcome.mounted
        context.diagnostics.info(
            "Pushed \(Quoted(target.familiar)): \(outcome.digest), \(ByteCount(outcome.bytes)) sent"
                + (there > 0 ? ", \(there) of \(there + outcome.sent) blobs were there" : ""))
        return .success
    }

    private func tell(_ shipment: Shipment, _ target: Reference, _ diagnostics: Diagnostics) {
        diagnostics.info("Pushing \(Quoted(target.familiar))")
        guard !shipment.absent.isEmpty else { return }
        let platforms = shipment.absent.map { Quoted($0.description).description }
        diagnostics.info("Without what is not in the store: \(platforms.joined(separator: ", "))")
    }
}

/// An image whose name is no place to push it to.
struct NoDestination: UserFacing, Equatable {
    let name: String

    var message: String { "\(Quoted(name)) is not the name of an image in a registry" }
    var hint: String? { "Say where to push it: chroot-distro push \(Quoted(name)) HOST/PATH:TAG" }
}
