import CLI
import Libc
import OCI
import Platform
import Store

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
        var bytes: Int64 = 0
        let sources = try Self.sources(of: context)
        if takesUnused {
            let used = Set(sources.map(\.config.digest))
            let catalog = try ImageCatalog(images)
            let unused = catalog.images.filter { !used.contains($0.id) }
            let removal = try images.remove(unused, of: catalog)
            for name in removal.names { diagnostics.info("Removed \(Quoted(StoredImage.familiar(name)))") }
            bytes = removal.reclaimed?.bytes ?? 0
        }
        // What a container was made of is what `reset` makes it anew of, also when the tag means something else by now.
        let kept = Set(sources.flatMap { [$0.config] + $0.layers }.map(\.digest))
        bytes += try images.collectGarbage(keeping: kept) { [isVerbose] name in
            if isVerbose { diagnostics.info("deleted \(Quoted(bytes: name.bytes))") }
        }.bytes
        diagnostics.info("Freed \(ByteCount(bytes))")
        return .success
    }

    /// What the containers were made of, as far as they know it.
    private static func sources(of context: borrowing Context) throws -> [Manifest] {
        guard access(context.layout.data.rawValue, F_OK) == 0 else { return [] }
        let store = try context.store()
        return try store.names().compactMap { name in
            guard let container = try? store.container(name) else { return nil }
            return (try? RecordedImage(of: container))?.manifest
        }
    }
}
