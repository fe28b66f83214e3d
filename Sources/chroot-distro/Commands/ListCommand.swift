import Archive
import CLI
import Libc
import OCI
import Platform
import Session
import Store

struct ListCommand: Command {
    static let spec = CommandSpec(
        "list", aliases: ["li", "ls"], summary: "List installed containers", group: "Living in containers",
        description: [
            "Shows each container with its size, the image it came from and whether it runs. The size is that of the last measurement; --measure takes a new one, which needs root."
        ],
        flags: ListingFormat.flags + [
            Flag(
                "verbose", short: "v", group: "format",
                help: "Show more of the images, as root: where their source is, user, directory, ports"
            ),
            Flag("measure", help: "Measure the containers now"),
            Flag("image", help: "List the images in the store instead, as image ls does"),
        ],
        examples: [.init("chroot-distro list"), .init("chroot-distro list --json")])

    private let format: ListingFormat
    private let isVerbose: Bool
    private let measures: Bool
    private let wantsImages: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        format = ListingFormat(arguments)
        isVerbose = arguments.isSet("verbose")
        measures = arguments.isSet("measure")
        wantsImages = arguments.isSet("image")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        if wantsImages {
            if geteuid() == 0 {
                try ListedImage.list(context.catalog(), format, context)
            } else {
                try ListedImage.listPublic(format, context)
            }
            return .success
        }
        let layout = context.systemLayout
        if geteuid() == 0, access(layout.data.rawValue, F_OK) == 0 {
            do { try refresh(context) } catch {
                // What was known before is still worth showing.
                guard let refusal = error as? SystemError, [ENOSPC, EDQUOT, EROFS].contains(refusal.code)
                else {
                    throw error
                }
                context.diagnostics.warning("the list may be out of date: \(refusal.message)")
            }
        } else if measures {
            throw StoreError.unreadable(layout.data)
        }
        let entries = try PublicIndex.read(layout)?.containers ?? []
        let items = try entries.map { entry in try ListedContainer(entry, in: layout) }
        if items.isEmpty, format == .table {
            context.diagnostics.info("No containers are installed. Try: chroot-distro install debian")
            return .success
        }
        try context.print(items, format)
        if isVerbose, geteuid() == 0 { try printDetails(entries, context) }
        return .success
    }

    private func refresh(_ context: borrowing Context) throws {
        let store = try context.store()
        try store.reconcileIndex(measure: Self.size)
        if measures { try store.measureAll(Self.size) }
    }

    static func size(_ container: borrowing Container) throws -> Int64 {
        try TreeSize.measure(try container.rootfs().directory).apparent
    }

    private func printDetails(_ entries: [PublicIndex.Entry], _ context: Context) throws {
        let store = try context.store()
        var text = ""
        for entry in entries {
            guard let name = try? ContainerName(entry.name), let container = try? store.container(name),
                let settings = try? container.manifest().settings
            else { continue }
            let facts: [(String, String?)] = [
                ("Source", settings.labels["org.opencontainers.image.source"]), ("User", settings.user),
                ("WorkDir", settings.workingDirectory),
                ("Ports", settings.exposedPorts.isEmpty ? nil : settings.exposedPorts.joined(separator: " ")),
            ]
            let lines = facts.compactMap { fact in fact.1.map { "    \(fact.0): \(Quoted($0))\n" } }
            if !lines.isEmpty { text += "\n\(name)\n" + lines.joined() }
        }
        try FileDescriptor.standardOutput(text)
    }
}

/// A container in a list.
struct ListedContainer: Listed {
    let name: String
    let size: Int64
    let image: String?
    let architecture: String?
    /// Seconds since the epoch.
    let installed: Int64
    let running: Bool
    let sessions: Int

    static let columns = [Column("NAME"), Column("SIZE", .right), Column("SOURCE"), Column("STATUS")]
    static let plural = "containers"

    init(_ entry: PublicIndex.Entry, in layout: StateLayout) throws {
        name = entry.name
        size = entry.size
        image = entry.image
        architecture = entry.architecture
        installed = entry.installed
        let container = try ContainerName(entry.name)
        sessions = SessionRegistry.read(container, in: layout)?.openSessions().count ?? 0
        running = sessions > 0 || Shutdown(container, in: layout).remainder() != nil
    }

    var row: Row {
        let source =
            image.map { image in architecture.map { "\(image) (\($0))" } ?? image } ?? "local archive"
        let status = sessions > 0 ? "in use (\(sessions))" : running ? "running" : "idle"
        return Row([name, ByteCount(size).description, source, status])
    }

    var word: String { name }
}
