import CLI
import OCI
import Platform

struct ImagePruneCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image prune", summary: "Remove what no image needs", group: "Images",
        description: [
            "Removes content that belongs to no image and to no container's image, and downloads that were interrupted. With --all also the images of which no container was made. Nothing is removed while another command uses the image store."
        ],
        flags: [
            Flag("all", help: "Remove images without a container, too"),
            Flag("verbose", short: "v", group: "talk", help: "Name each file that is deleted"),
            Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
        ],
        examples: [.init("chroot-distro image prune"), .init("chroot-distro image prune --all")])

    private let takesUnused: Bool
    private let isVerbose: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        takesUnused = arguments.isSet("all")
        isVerbose = arguments.isSet("verbose")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let diagnostics = context.diagnostics
        guard let images = try context.existingImages() else {
            diagnostics.info("There is nothing to remove.")
            return .success
        }
        // The notes of killed imports have no meaning for what is gone.
        try? images.sweepImports()
        let sole = try images.claim()
        var bytes: Int64 = 0
        if takesUnused {
            let used = try ContainerImages(of: context.layout).ids
            let unused = try ImageCatalog(images).images.filter { !used.contains($0.id) }
            let removal = try sole.remove(unused, sparingShared: true)
            ImageRemoveCommand.tell(removal, diagnostics)
            bytes = removal.reclaimed.bytes
        }
        let tell: (RawString) -> Void = { [isVerbose] name in
            if isVerbose { diagnostics.info("deleted \(Quoted(bytes: name.bytes))") }
        }
        bytes += try sole.collectGarbage(onRemove: tell).bytes
        bytes += try URLDownloader.sweep(context.cache(), onRemove: tell)
        diagnostics.info("Freed \(ByteCount(bytes))")
        return .success
    }
}
