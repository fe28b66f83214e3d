import Archive
import CLI
import Libc
import OCI
import Platform
import Session
import Store

/// `run --rm IMAGE`: a session of an image that is not installed, and of which nothing stays but what is in the cache.
struct ImageRun {
    private let source: InstallSource
    private let options: SessionOptions

    init(_ source: InstallSource, _ options: SessionOptions) {
        self.source = source
        self.options = options
    }

    func run(in context: Context) throws -> ExitStatus {
        try options.requireForeground()
        let roots = try ImageRoots.open(context.layout)
        let installer = try Installer.open(context, platform: .host, policy: .missing, allowsInsecure: false)
        // What is brought into the store stays there until it is unpacked.
        let use = try context.images().beginUse()
        let image = try installer.obtain(source)
        let digest = image.descriptor.digest
        let root = try ImageRoot(
            ContainerName("\(digest.algorithm.rawValue)-\(digest.hex)"), in: context.layout)
        let held = try roots.hold(root.name) { try installer.unpack(image, as: root.name, in: roots.store) }
        use.release()
        let base = try source.defaultName().description.prefix(150)
        let number = String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
        let name = try ContainerName("\(base)-\(number)")
        let status = try launch(root, as: name, in: roots, context)
        held.release()
        return status
    }

    private func launch(
        _ root: ImageRoot, as name: ContainerName, in roots: borrowing ImageRoots, _ context: Context
    ) throws -> ExitStatus {
        defer { try? Self.forget(name, context) }
        let starting = try roots.beginStart()
        return try options.launch(root, as: name, in: roots, holding: starting, context)
    }

    /// Deletes what killed sessions of images have left, and roots that nobody has used for long.
    static func sweep(_ context: Context, olderThan age: Int = ImageRoots.patience) throws {
        guard access(context.layout.imageRoots.data.rawValue, F_OK) == 0 else { return }
        let roots = try ImageRoots.open(context.layout)
        try roots.sweep(olderThan: age)
        let store = try context.store()
        try roots.betweenStarts {
            for entry in try RunCensus.take(context.layout).entries {
                guard !entry.isAlive, try !store.contains(entry.name) else { continue }
                try forget(entry.name, context)
            }
        }
    }

    /// Forgets a container that has ended; where something of it is still there, the next sweep looks again.
    private static func forget(_ name: ContainerName, _ context: Context) throws {
        Debris.sweep(name, in: context.layout)
        // Nothing else leads to what is left.
        guard !Debris.isLeft(of: name, in: context.layout) else { return }
        _ = try RunCensus.erase(name, in: context.layout)
    }
}

extension Installer {
    /// Brings an image into the image store, from a registry or a file, without unpacking it.
    func obtain(_ source: InstallSource) throws -> ResolvedImage {
        let images = try context.images()
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        switch source {
        case .registry(let reference):
            return try puller.fetch(
                reference, for: platform, policy: policy, in: images, observer: progress)
        case .path(let path):
            do { return try take(path, into: images) } catch let error as any UserFacing {
                if error is SystemError { throw error }
                throw InstallError.badArchive(path, error.message, hint: error.hint)
            }
        case .url, .standardInput: throw ImageRunError.noImage
        }
    }

    private func take(_ path: HostPath, into images: borrowing ImageLayout) throws -> ResolvedImage {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let importer = ArchiveImporter(platform: platform)
        let isDirectory = try file.status().kind == .directory
        return isDirectory
            ? try importer.importLayout(Directory(adopting: file), into: images).image
            : try importer.importArchive(FileSource(file), into: images).image
    }

    /// Unpacks an image of the image store as a container of a store.
    func unpack(
        _ image: ResolvedImage, as name: ContainerName, in store: borrowing ContainerStore
    ) throws {
        let images = try context.images()
        let staging = try store.stage(name)
        let filled = Result {
            try fill(staging) { applied in
                let progress = InstallProgress(context.diagnostics)
                defer { progress.close() }
                try puller.deliver(image, in: images, observer: progress, into: &applied)
                return try describe(image, as: image.reference.familiar, in: staging)
            }
        }
        if case .failure(let error) = filled {
            try? staging.discard(in: store)
            throw error
        }
        try store.commit(staging)
        Flushing.goOn(try store.container(name))
    }
}

/// What cannot be had of an image that is not installed.
enum ImageRunError: UserFacing, Equatable {
    case noImage
    case onlyInstalled(String)

    var message: String {
        switch self {
        case .noImage: "run --rm takes an image of a registry, or a file or directory of this host"
        case .onlyInstalled(let option): "\(option) is for installed containers only"
        }
    }

    var hint: String? { "Install it first: chroot-distro install IMAGE" }
}
