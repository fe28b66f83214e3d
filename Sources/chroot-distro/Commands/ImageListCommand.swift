import CLI
import Libc
import OCI
import Platform
import Store

struct ImageListCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image ls", aliases: ["images", "image list"], summary: "List the images in the store",
        group: "Images",
        description: [
            "Shows each image with its platform, its ID, the size of its layers as they are stored, and when it was made. A * behind the size says that layers are missing: the next command that needs them fetches them."
        ], flags: ListingFormat.flags,
        examples: [.init("chroot-distro image ls"), .init("chroot-distro image ls --json")])

    private let format: ListingFormat

    init(_ arguments: ParsedArguments) throws(UsageError) { format = ListingFormat(arguments) }

    func run(in context: borrowing Context) throws -> ExitStatus {
        try ListedImage.list(try context.catalog(), format, context)
        return .success
    }
}

/// An image in a list.
struct ListedImage: Listed {
    /// The whole reference.
    let name: String
    /// What people type; the names of files and strangers are escaped where it is printed.
    let reference: String
    let platform: String?
    let id: String?
    let digest: String?
    let size: Int64?
    let created: String?
    /// Whether all layers are there; `nil` when nothing of it can be read.
    let complete: Bool?

    static let columns = [
        Column("IMAGE"), Column("PLATFORM"), Column("ID"), Column("SIZE", .right), Column("CREATED"),
    ]
    static let plural = "images"

    init(_ image: StoredImage) {
        name = image.name
        reference = image.familiarName
        platform = image.platform?.description
        id = image.id.description
        digest = image.descriptor.digest.description
        size = image.size
        created = image.created?.description
        complete = image.missing.isEmpty
    }

    /// One of which only the name is known.
    init(name: String) {
        self.name = name
        reference = StoredImage.familiar(name)
        platform = nil
        id = nil
        digest = nil
        size = nil
        created = nil
        complete = nil
    }

    var row: Row {
        let short = id.flatMap { try? Digest($0).short } ?? "-"
        let bytes = size.map { ByteCount($0).description + (complete == false ? "*" : "") } ?? "-"
        let age = created.flatMap { Timestamp($0)?.relative() } ?? "-"
        return Row([reference, platform ?? "-", short, bytes, age])
    }

    var word: String { reference }

    /// Prints what a store has.
    static func list(_ catalog: ImageCatalog, _ format: ListingFormat, _ context: borrowing Context) throws {
        try list(
            catalog.images.map(ListedImage.init) + catalog.damaged.map(ListedImage.init(name:)), format,
            context)
    }

    /// Prints what everybody may know of a store: the names.
    static func listPublic(_ format: ListingFormat, _ context: borrowing Context) throws {
        let names = try ImageLayout.publicNames(context.systemLayout.cache)
        try list(names.map(ListedImage.init(name:)), format, context)
        if !names.isEmpty, format == .table {
            context.diagnostics.info("Sizes are for root to see: sudo chroot-distro image ls")
        }
    }

    private static func list(
        _ items: [ListedImage], _ format: ListingFormat, _ context: borrowing Context
    ) throws {
        if items.isEmpty, format == .table {
            return context.diagnostics.info("No images are in the store. Try: chroot-distro pull debian")
        }
        var seen: Set<String> = []
        try context.print(format == .quiet ? items.filter { seen.insert($0.name).inserted } : items, format)
    }
}
