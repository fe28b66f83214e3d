import CLI
import OCI
import Platform

struct ImageTagCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image tag", summary: "Give an image another name", group: "Images",
        description: [
            "The image gets the name NAME as well; it is taken from what had it before. With -a the new name stands for that platform alone."
        ],
        operands: [Operand("IMAGE", .image), Operand("NAME", .image)],
        flags: [.architecture("Name only the image for this processor")],
        examples: [.init("chroot-distro image tag debian:12 registry.lan:5000/debian:12")])

    private let image: String
    private let name: Reference
    private let platform: ImagePlatform?

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        name = try arguments.reference("NAME")
        platform = try arguments.platform()
        guard name.digest == nil else {
            throw UsageError(
                "image tag: \(Quoted(name.description)) has a digest, which cannot be given",
                hint: "Leave out what follows the @.", command: "image tag")
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let images = try context.images()
        let use = try images.beginUse()
        let catalog = try ImageCatalog(images)
        let found = try catalog.select(image, platform: platform)
        let target =
            if platform == nil, let top = found.first?.top, found.allSatisfy({ $0.top.digest == top.digest })
            {
                top
            } else {
                try catalog.choose(image, platform: platform).descriptor
            }
        try images.tag(name, as: target)
        use.release()
        context.diagnostics.info("\(Quoted(name.familiar)) is \(target.digest)")
        return .success
    }
}
