import Archive
import CLI
import Libc
import OCI
import Platform
import Store

/// Makes one container: it is prepared beside the others and put in its place at the end.
struct Installer: ~Copyable {
    let context: Context
    let store: ContainerStore
    let platform: ImagePlatform
    let puller: Puller
    let policy: PullPolicy

    /// Opens the store, and throws away what killed commands left in it.
    static func open(
        _ context: Context, platform: ImagePlatform, policy: PullPolicy, allowsInsecure: Bool
    ) throws -> Installer {
        let puller = try context.puller(allowsInsecure: allowsInsecure)
        let store = try context.store()
        // What cannot be thrown away now is in nobody's way.
        do {
            try store.sweep()
            try ImageRun.sweep(context)
        } catch {
            context.diagnostics.warning(
                "what earlier commands left behind cannot be thrown away: "
                    + ((error as? any UserFacing)?.message ?? "\(error)"))
        }
        if let images = try? context.images() {
            _ = try? images.sweepParts(olderThan: 14 * 86400)
            try? images.sweepImports()
        }
        return Installer(context: context, store: store, platform: platform, puller: puller, policy: policy)
    }

    /// What was installed.
    struct Outcome {
        let name: ContainerName
        let hasEntrypoint: Bool
    }

    /// Refuses names that are taken, before anything is fetched.
    func requireFree(_ names: [ContainerName]) throws {
        for name in names where try store.contains(name) { throw StoreError.nameTaken(name) }
    }

    func install(_ source: InstallSource, as name: ContainerName) throws -> Outcome {
        let lock = try store.lock(name, .exclusive, for: "install")
        let staging = try store.stage(name)
        let filled = Result { try fill(staging, from: source) }
        if case .failure(let error) = filled {
            try? staging.discard(in: store)
            throw error
        }
        let facts = try filled.get()
        try store.commit(staging)
        let container = try store.container(name)
        Flushing.goOn(container)
        do { try store.enter(container, size: facts.size) } catch {
            context.diagnostics.warning(
                "\(name) is installed, but not in the index yet; chroot-distro list puts it there: "
                    + ((error as? any UserFacing)?.message ?? "\(error)"))
        }
        lock.release()
        return Outcome(name: name, hasEntrypoint: facts.hasEntrypoint)
    }

    // MARK: - Filling

    /// What is known of a container that has been filled.
    struct Facts {
        var hasEntrypoint = false
        var size: Int64 = 0
    }

    private func fill(_ staging: borrowing Staging, from source: InstallSource) throws -> Facts {
        try fill(staging) { applied in
            switch source {
            case .registry(let reference):
                return try pull(reference, for: platform, into: &applied, staging)
            case .path(let path):
                // A FIFO or a terminal must not keep us waiting, or become ours.
                let source = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
                return try source.status().kind == .directory
                    ? importLayout(Directory(adopting: source), into: &applied, staging)
                    : unpack(source, path, into: &applied, staging)
            case .url(let url): return try download(url, into: &applied, staging)
            case .standardInput: return try unpack(spooledInput(), "-", into: &applied, staging)
            }
        }
    }

    /// Lets `unpack` fill the root, and adds what a container has of this host; whether there is something to run is
    /// what `unpack` returns.
    func fill(
        _ staging: borrowing Staging, _ unpack: (inout AppliedLayers) throws -> Bool
    ) throws -> Facts {
        var facts = Facts()
        var applied = AppliedLayers(
            try LayerApplier(try staging.rootfs().directory.duplicate()), records: true)
        facts.hasEntrypoint = try unpack(&applied)
        if let summary = applied.report.summary { context.diagnostics.warning(summary) }
        let rootfs = try staging.rootfs()
        let added = try GuestFiles.install(in: rootfs, resolver: GuestFiles.hostResolverConfiguration())
        if let termux = context.caller.host.termux {
            let user = context.caller.user
            let group = try? FileDescriptor.open(termux.home, O_RDONLY).status().group
            try AndroidAccounts(
                userName: user.name?.text ?? "\(user.uid)", user: user.uid,
                homeGroup: group ?? gid_t(user.uid)
            ).install(in: rootfs)
            applied.report.growth = nil
        }
        if applied.hasLayers {
            // Without it the first comparison with the image takes longer, no more.
            if let tree = try? applied.encodedTree() { try? staging.write(Staging.imageTree, tree) }
            try staging.noteCompletion()
        }
        // Walking through all files would tell the same.
        facts.size =
            try applied.report.growth?.saturating(adding: added)
            ?? TreeSize.measure(rootfs.directory).apparent
        return facts
    }

    func pull(
        _ reference: Reference, for platform: ImagePlatform, policy: PullPolicy? = nil, id: Digest? = nil,
        as name: String? = nil, into applied: inout AppliedLayers, _ staging: borrowing Staging
    ) throws -> Bool {
        let images = try context.images()
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        context.diagnostics.info("Installing \(Quoted(reference.familiar)) for \(platform)")
        let image = try puller.pull(
            reference, for: platform, policy: policy ?? self.policy, id: id, in: images, observer: progress,
            into: &applied)
        return try describe(image, as: name ?? reference.familiar, in: staging)
    }

    /// Writes down what the container is made of; whether there is something to run.
    func describe(
        _ image: ResolvedImage, as name: String?, in staging: borrowing Staging
    ) throws -> Bool {
        let bytes = try ManifestFile.bytes(
            reference: name ?? "", platform: image.config.value.platform ?? platform,
            manifest: image.manifest.bytes, config: image.config.bytes)
        try staging.write("manifest.json", bytes)
        let config = image.config.value.config
        return config.entrypoint?.isEmpty == false || config.command?.isEmpty == false
    }

    // MARK: - Files

    private func importLayout(
        _ directory: consuming Directory, into applied: inout AppliedLayers, _ staging: borrowing Staging
    ) throws -> Bool {
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        return try describe(
            ArchiveImporter(platform: platform).importLayout(
                directory, into: context.images(), observer: progress, handing: &applied), in: staging)
    }

    private func importArchive(
        _ file: consuming FileDescriptor, into applied: inout AppliedLayers, _ staging: borrowing Staging
    ) throws -> Bool {
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        return try describe(
            ArchiveImporter(platform: platform).importArchive(
                FileSource(file), into: context.images(), observer: progress, handing: &applied), in: staging)
    }

    private func describe(_ imported: ImportedImage, in staging: borrowing Staging) throws -> Bool {
        // A bare tag is no name that could be pulled again.
        let name = imported.claimedName.flatMap { $0.contains(":") || $0.contains("/") ? $0 : nil }
        return try describe(imported.image, as: name, in: staging)
    }

    private func download(
        _ url: String, into applied: inout AppliedLayers, _ staging: borrowing Staging
    ) throws -> Bool {
        let folder = try context.cache()
        let display = ProgressDisplay(context.diagnostics)
        defer { display.close() }
        let name = url.split(separator: "/").last.map(String.init) ?? url
        let downloader = URLDownloader(http: puller.http, retry: puller.retry, transfer: puller.transfer)
        context.diagnostics.info("Downloading \(Quoted(name))")
        return try downloader.withFile(
            from: url, in: folder,
            progress: { done, total in
                display.update(id: url, label: name, done: done, total: total, phase: "downloading")
            }
        ) { file in
            display.finish(url)
            return try unpack(file, HostPath(url), into: &applied, staging)
        }
    }

    /// Standard input as a file that can be read twice: what it is shows only after a look at its first members.
    private func spooledInput() throws -> FileDescriptor {
        let folder = try context.cache()
        let file = try folder.openNamelessFile()
        let input = FileSource(FileDescriptor(adopting: try syscall("dup") { fcntl(0, F_DUPFD_CLOEXEC, 3) }))
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try input.readFully(into: $0) }
            if count == 0 { break }
            try buffer.withUnsafeBytes { try file.writeAll(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        try file.seek(to: 0)
        return file
    }

    /// Unpacks an archive; an error names it.
    private func unpack(
        _ file: consuming FileDescriptor, _ path: HostPath, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        do { return try read(file, path, into: &applied, staging) } catch let error as any UserFacing {
            if error is InstallError || error is BackupError || error is SystemError || error is StoreError {
                throw error
            }
            throw InstallError.badArchive(path, error.message, hint: error.hint)
        }
    }

    private func read(
        _ file: consuming FileDescriptor, _ path: HostPath, into applied: inout AppliedLayers,
        _ staging: borrowing Staging
    ) throws -> Bool {
        guard try file.status().kind == .regular else { throw InstallError.notAFile(path) }
        if try Squashfs.isImage(file) {
            try Squashfs.unpack(file, to: "rootfs", in: staging.directory, context)
            _ = try ArchiveLayout(staging.rootfs().directory.entries().map(\.name))
            return false
        }
        let names = try Self.names(FileSource(try file.duplicate()))
        guard !BackupMember.isIncrement(names) else { throw BackupError.increment(path) }
        let layout = try ArchiveLayout(names)
        try file.seek(to: 0)
        switch layout {
        case .rootfs(let prefix):
            try applied.apply(FileSource(file), .plain(prefix: prefix))
            return false
        case .backup(let name):
            var unpacker = try BackupUnpacker(name, into: staging.rootfs().directory.duplicate())
            do {
                applied.add(
                    try ArchiveStream.read(FileSource(file)) { reader in
                        while let entry = try reader.next() { try unpacker.take(entry, from: reader) }
                        return try unpacker.finish()
                    })
            } catch let flaw as BackupUnpacker.Flaw {
                throw flaw.error(of: path)
            }
            if let manifest = unpacker.manifest { try staging.write("manifest.json", manifest) }
            return false
        case .ociLayout, .dockerArchive:
            return try importArchive(file, into: &applied, staging)
        }
    }

    /// The first names in an archive.
    private static func names(_ source: any ByteSource) throws -> [RawString] {
        let reader = TarReader(BufferedChunks(try Compression.open(source)))
        var names: [RawString] = []
        while names.count < ArchiveLayout.sample, let entry = try reader.next() { names.append(entry.path) }
        return names
    }
}

/// Applies layers as they come, and keeps count.
struct AppliedLayers: LayerSink {
    private let applier: LayerApplier
    fileprivate(set) var report = TreeReport()

    /// With `records`, what the layers make is remembered.
    init(_ applier: LayerApplier, records: Bool = false) {
        self.applier = applier
        if records { applier.record() }
    }

    /// The layers that have been applied.
    private var layers: [Digest] = []
    /// Whether what was applied is an image.
    var hasLayers: Bool { !layers.isEmpty }

    /// What the layers make, for who compares the root with them later.
    func encodedTree() throws -> [UInt8]? { try applier.encodedTree(key: ImageTree.key(of: layers)) }

    mutating func apply(_ layer: PulledLayer) throws {
        layers.append(layer.descriptor.digest)
        // One digest is enough: that of what is written. Where it is not right, the puller looks whose fault it is.
        let blob = ExpectedContent(
            digest: layer.diffID == nil ? layer.descriptor.digest : nil, size: layer.descriptor.size)
        do {
            report += try LayerPipeline.apply(
                layer.content, blob: blob,
                content: ExpectedContent(digest: layer.diffID),
                to: applier)
        } catch LayerError.wrongDigest(layer.descriptor.digest, let found) {
            // The copy in the store is damaged, not the image.
            throw BlobError.wrongDigest(layer.descriptor.digest, actual: found)
        }
    }

    /// Counts what was written otherwise.
    mutating func add(_ report: TreeReport) { self.report += report }

    /// Applies an archive that is not a layer.
    mutating func apply(
        _ source: any ByteSource, _ rules: MemberRules,
        outside: (TarEntry, TarReader) throws -> Void = { _, _ in }
    ) throws {
        report += try LayerPipeline.apply(source, to: applier, rules, outside: outside)
    }
}
