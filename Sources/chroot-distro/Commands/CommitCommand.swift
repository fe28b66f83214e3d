import CLI
import OCI
import Platform
import Session
import Store

struct CommitCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "commit", summary: "Make an image of a container", group: "Images",
        description: [
            "Writes what was changed in the container as a new layer over those of its image, and keeps the result in the image store as IMAGE. A container that was made of an archive becomes an image of one layer. What the program itself writes, such as /etc/resolv.conf, and what is mounted in the container do not get into it. A running container stands still meanwhile.",
            "With SOURCE_DATE_EPOCH set, no time in the image is later than that, and equal containers make equal images.",
        ],
        operands: [Operand("CONTAINER", .container), Operand("IMAGE")],
        flags: [
            Flag("author", short: "a", value: "NAME", help: "Who made the image"),
            Flag("message", short: "m", value: "TEXT", help: "What was changed, for the image's history"),
            Flag(
                "change", short: "c", value: "INSTRUCTION", repeatable: true,
                help:
                    "Change how the image is run: \(ConfigChange.words.joined(separator: ", ")), as in a Dockerfile"
            ),
            Flag(
                "compress", value: "TYPE", kind: .choice(LayerCompression.allCases.map(\.rawValue)),
                help: "Compress the layer with gzip (default) or zstd"),
            Flag("live", help: "Let a running container go on meanwhile"),
            Flag("quiet", short: "q", help: "Print nothing but the digest of the image"),
        ],
        examples: [
            .init("chroot-distro commit debian me/debian:mine"),
            .init("chroot-distro commit -c 'CMD [\"/usr/bin/app\"]' -m 'Add the app' box app:1"),
        ])

    private let name: ContainerName
    private let reference: Reference
    private let author: String?
    private let message: String?
    private let configChanges: [ConfigChange]
    private let compression: LayerCompression
    private let isLive: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        reference = try Self.reference(arguments.operand("IMAGE"))
        author = try arguments.text("author")
        message = try arguments.text("message")
        var changes: [ConfigChange] = []
        for text in try arguments.texts("change") { changes.append(try ConfigChange(text)) }
        configChanges = changes
        compression = try arguments.text("compress").flatMap { LayerCompression(rawValue: $0) } ?? .gzip
        isLive = arguments.isSet("live")
        isQuiet = arguments.isSet("quiet")
    }

    private static func reference(_ text: String) throws(UsageError) -> Reference {
        let reference: Reference
        do { reference = try Reference(text) } catch { throw UsageError(error.message, hint: error.hint) }
        guard reference.digest == nil else {
            throw UsageError(
                "\(Quoted(text)) names content by its digest, which only what is there already has")
        }
        return reference
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let epoch = try Self.sourceDateEpoch(context.caller.environment)
        let store = try context.store()
        guard try store.contains(name) else { throw try store.notInstalled(name) }
        // One that runs is not entered meanwhile: who comes in would stand still with the others.
        let isRunning = try Shutdown(name, in: context.layout).isNeeded()
        let lock = try store.lock(name, isRunning && !isLive ? .exclusive : .shared, for: "commit")
        let container = try store.container(name)
        // Forks, so it comes before any thread.
        let freeze = try context.hold(name, isLive: isLive)
        let images = try context.images()
        let base = try RecordedImage(of: container)
        try requireDiffIDs(of: base)
        let top = try images.bringing {
            try base?.naming { try base?.stack.requireStored(in: images) }
            let found = try ContainerChanges.find(
                in: container, of: base, listsOwn: base == nil, namesAspects: false, context)
            let layer = try write(found, of: container, to: images, epoch, context)
            return try images.keep(
                config(over: base, layer, epoch),
                layers: (base?.manifest.layers ?? []) + [layer].compactMap { $0?.descriptor },
                as: reference)
        }
        context.letGo(freeze)
        lock.release()
        context.diagnostics.info("Committed \(name) as \(Quoted(reference.familiar))")
        try FileDescriptor.standardOutput("\(top.digest)\n")
        return .success
    }

    /// A config says of each layer what it contains, so that of the base has to.
    private func requireDiffIDs(of base: RecordedImage?) throws(CommitError) {
        guard let base, base.config.diffIDs.count != base.manifest.layers.count else { return }
        throw .noDiffIDs(name)
    }

    /// The new layer; `nil` when nothing was changed.
    private func write(
        _ found: ContainerChanges, of container: borrowing Container, to images: borrowing ImageLayout,
        _ epoch: Int64?, _ context: Context
    ) throws -> LayerBlob? {
        let changes = found.changes.filter { !found.own.contains($0.path) }
        if let (path, error) = found.unreadable.first { throw UnreadableFile(path: path, error: error) }
        if changes.isEmpty { return nil }
        let writer = try LayerWriter(changes, of: container.rootfs().directory.duplicate(), latest: epoch)
        var report = LayerWriter.Report()
        let layer = try images.writeLayer(compression) { report = try writer.write(to: $0) }
        for path in report.sockets { context.diagnostics.warning("\(path) is a socket and was left out") }
        for path in report.vanished { context.diagnostics.warning("\(path) went away before it was read") }
        for path in report.changing { context.diagnostics.warning("\(path) changed while it was read") }
        return layer
    }

    private func config(over base: RecordedImage?, _ layer: LayerBlob?, _ epoch: Int64?) -> ImageConfig {
        var config = base?.config ?? ImageConfig(platform: .host)
        let moment = epoch.map { Timestamp(seconds: $0) } ?? .now
        config.created = moment.description
        if let author { config.author = author }
        // Every layer has an entry in the history, or none has.
        let known = config.history.filter { $0.emptyLayer != true }.count
        for _ in known..<max(known, base?.manifest.layers.count ?? 0) {
            config.history.append(History(createdBy: "unknown"))
        }
        var entry = History(
            created: moment.description, createdBy: "chroot-distro commit", comment: message,
            emptyLayer: layer == nil ? true : nil)
        entry.author = author
        config.history.append(entry)
        if let layer { config.diffIDs.append(layer.diffID) }
        for change in configChanges { change.apply(to: &config.config) }
        return config
    }

    /// Seconds since the epoch, by which builds are made reproducible (reproducible-builds.org, SOURCE_DATE_EPOCH).
    private static func sourceDateEpoch(_ environment: Environment) throws -> Int64? {
        guard let text = environment.nonEmpty("SOURCE_DATE_EPOCH") else { return nil }
        guard let seconds = Int64(text), seconds >= 0, seconds < 1 << 40 else {
            throw CommitError.badEpoch(text)
        }
        return seconds
    }
}

/// Why no image can be made.
enum CommitError: UserFacing, Equatable {
    case noDiffIDs(ContainerName)
    case badEpoch(String)

    var message: String {
        switch self {
        case .noDiffIDs(let name): "the image of \(name) does not say what its layers contain"
        case .badEpoch(let text): "SOURCE_DATE_EPOCH is \(Quoted(text)), which is no number of seconds"
        }
    }

    var hint: String? {
        switch self {
        case .noDiffIDs: "Install it anew from its registry, where images say it."
        case .badEpoch: nil
        }
    }
}
