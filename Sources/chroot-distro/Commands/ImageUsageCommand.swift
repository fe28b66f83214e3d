import CLI
import OCI
import Platform

struct ImageUsageCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image du", summary: "Show how much of the disk images take", group: "Images",
        description: [
            "SIZE is all that an image consists of; UNIQUE is what would go with it, since no other image has it. What only containers keep, to be made anew of it, goes after them. What nobody needs, and downloads that were interrupted, are freed by: chroot-distro image prune."
        ],
        flags: [.json], examples: [.init("chroot-distro image du")])

    private let isJSON: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) { isJSON = arguments.isSet("json") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let usage =
            if let images = try context.existingImages() { try ImageUsage(images) } else { ImageUsage() }
        if isJSON {
            try FileDescriptor.standardOutput(JSONListing.text(UsageReport(usage)))
            return .success
        }
        let rows = usage.items.map {
            Row([
                StoredImage.familiar($0.name), ByteCount($0.size).description,
                ByteCount($0.unique).description,
            ])
        }
        let table = Table([Column("IMAGE"), Column("SIZE", .right), Column("UNIQUE", .right)], rows)
        try FileDescriptor.standardOutput(
            table.text(width: context.outputWidth, style: .of(1))
                + """

                Images:                 \(ByteCount(usage.images))
                Of containers alone:    \(ByteCount(usage.kept.bytes)) in \(usage.kept.files) files
                Of nobody:              \(ByteCount(usage.orphans.bytes)) in \(usage.orphans.files) files
                Interrupted downloads:  \(ByteCount(usage.parts.bytes)) in \(usage.parts.files) files

                """)
        return .success
    }
}

/// The same for programs.
private struct UsageReport: Encodable {
    struct Item: Encodable {
        let name: String
        let size: Int64
        let unique: Int64
    }

    struct Sum: Encodable {
        let files: Int
        let size: Int64
    }

    let schema = 1
    let images: [Item]
    let total: Int64
    let containers: Sum
    let orphans: Sum
    let parts: Sum

    init(_ usage: ImageUsage) {
        images = usage.items.map { Item(name: $0.name, size: $0.size, unique: $0.unique) }
        total = usage.images
        containers = Sum(files: usage.kept.files, size: usage.kept.bytes)
        orphans = Sum(files: usage.orphans.files, size: usage.orphans.bytes)
        parts = Sum(files: usage.parts.files, size: usage.parts.bytes)
    }
}
