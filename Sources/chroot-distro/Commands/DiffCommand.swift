import Archive
import CLI
import OCI
import Platform
import Store

struct DiffCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "diff", summary: "List what was changed in a container since its installation",
        group: "Files and backups",
        description: [
            "Compares the container with its image: A marks what was added, C what was changed and D what was deleted, with all that was in it. Nothing is left out but what the program itself writes, such as /etc/resolv.conf; --all lists that too, marked.",
            "A change is one of content, type, permissions, owner, time, extended attributes or hard links. The layers of the image are read once; what was learnt of them is kept beside the container.",
        ],
        operands: [Operand("CONTAINER", .container)],
        flags: [
            Flag("all", short: "a", help: "List the files that the program itself has written, too"),
            Flag("verbose", short: "v", group: "format", help: "Tell what of each file was changed"),
            Flag("stat", group: "format", help: "Print only how many there are, and how large"),
            Flag("json", group: "format", help: "Print a JSON document"),
        ],
        examples: [.init("chroot-distro diff debian"), .init("chroot-distro diff --stat debian")])

    private let name: ContainerName
    private let listsOwn: Bool
    private let isVerbose: Bool
    private let isStat: Bool
    private let isJSON: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        listsOwn = arguments.isSet("all")
        isVerbose = arguments.isSet("verbose")
        isStat = arguments.isSet("stat")
        isJSON = arguments.isSet("json")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let store = try context.store()
        guard try store.contains(name) else { throw try store.notInstalled(name) }
        let lock = try store.lock(name, .shared, for: "diff")
        let container = try store.container(name)
        guard let image = try RecordedImage(of: container) else { throw ChangesError.noImage(name) }
        let found = try ContainerChanges.find(
            in: container, of: image, listsOwn: listsOwn, namesAspects: isVerbose || isJSON, context)
        lock.release()
        for (path, error) in found.unreadable {
            context.diagnostics.warning("\(path) was left out: \(error.reason)")
        }
        let items = found.changes.filter { listsOwn || !found.own.contains($0.path) }
            .map { ListedChange($0, isOwn: found.own.contains($0.path)) }
        if isStat, !isJSON {
            try FileDescriptor.standardOutput(Self.statistics(items))
        } else if isJSON {
            try FileDescriptor.standardOutput(
                JSONListing.text(items, plural: "changes", schema: 1))
        } else if items.isEmpty {
            context.diagnostics.info("Nothing was changed in \(name)")
        } else {
            try FileDescriptor.standardOutput(items.map { $0.line(isVerbose: isVerbose) }.joined())
        }
        return .success
    }

    private static func statistics(_ items: [ListedChange]) -> String {
        func row(_ word: String) -> String {
            let those = items.filter { $0.change == word }
            let size = those.reduce(Int64(0)) { $0.saturating(adding: $1.size) }
            return "\(word) \(those.count), \(ByteCount(size))\n"
        }
        return row("added") + row("changed") + row("deleted")
    }
}

/// A change in a list.
private struct ListedChange: Encodable {
    /// `added`, `changed` or `deleted`.
    let change: String
    let path: String
    let type: String
    /// Bytes of a regular file.
    let size: Int64
    /// What of it was changed.
    let aspects: [String]
    /// Whether the program itself has written it.
    let own: Bool
    private let words: Quoted
    private let letter: String

    private enum CodingKeys: String, CodingKey { case change, path, type, size, aspects, own }

    init(_ change: TreeChange, isOwn: Bool) {
        let absolute = GuestPath(change.path).absolute
        self.change = change.kind.rawValue
        path = absolute.text
        words = Quoted(bytes: absolute.bytes)
        type = Self.word(for: change.file)
        size = change.size
        aspects = change.aspects.words
        own = isOwn
        letter =
            switch change.kind {
            case .added: "A"
            case .changed: "C"
            case .deleted: "D"
            }
    }

    func line(isVerbose: Bool) -> String {
        let details = isVerbose && !aspects.isEmpty ? "  (\(aspects.joined(separator: ", ")))" : ""
        return "\(letter) \(words)\(details)\(own ? "  (by chroot-distro)" : "")\n"
    }

    private static func word(for kind: FileStatus.Kind) -> String {
        switch kind {
        case .regular: "file"
        case .directory: "directory"
        case .symbolicLink: "link"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        case .fifo: "fifo"
        case .socket: "socket"
        case .other: "other"
        }
    }
}
