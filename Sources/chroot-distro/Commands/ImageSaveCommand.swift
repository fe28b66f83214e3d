import Archive
import CLI
import Libc
import OCI
import Platform

struct ImageSaveCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image save", summary: "Write images into an archive", group: "Images",
        description: [
            "Writes an OCI image layout, or with --format docker what `docker save` writes, into one tar archive: to FILE, which must not exist and appears when it is whole, or to standard output, which must not be a terminal.",
            "An OCI archive has every platform of an image that is in the store, or with -a that one; a docker archive has one.",
        ],
        operands: [Operand("IMAGE", .image, repeatable: true)],
        flags: [
            Flag("output", short: "o", value: "FILE", kind: .file, help: "Write to FILE"),
            Flag(
                "format", value: "FORMAT", kind: .choice(ImageArchive.Form.allCases.map(\.rawValue)),
                help: "What the archive looks like (default: oci)"),
            .architecture("Take the image for this processor"), .quietImages,
        ],
        examples: [
            .init("chroot-distro image save debian:12 -o debian.tar"),
            .init("chroot-distro image save --format docker debian:12 | ssh host docker load"),
        ])

    private let words: [String]
    private let output: RawString?
    private let form: ImageArchive.Form
    private let platform: ImagePlatform?
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("IMAGE")
        output = arguments.raw("output")
        form = try arguments.text("format").flatMap { ImageArchive.Form(rawValue: $0) } ?? .oci
        platform = try arguments.platform()
        isQuiet = arguments.isSet("quiet")
        if let output, output.bytes.isEmpty { throw arguments.invalid("output", "it is empty") }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        guard output != nil || !Terminal.isTerminal(1) else { throw TerminalOutput() }
        let images = try context.images()
        let use = try images.beginUse()
        let archive = ImageArchive(form, try items(images, context))
        if let output {
            let path = HostPath(output.text)
            let file = try context.newFile(path)
            do {
                try write(archive, images, try file.descriptor.duplicate(), context)
                try file.publish()
            } catch let error as SystemError {
                throw BackupError.cannotPublish(path, error)
            }
            context.diagnostics.info("Saved \(path)")
        } else {
            let pipe = try syscall("dup") { fcntl(1, F_DUPFD_CLOEXEC, 3) }
            try write(archive, images, FileDescriptor(adopting: pipe), context)
        }
        use.release()
        return .success
    }

    private func items(_ images: borrowing ImageLayout, _ context: borrowing Context) throws -> [ImageArchive
        .Item]
    {
        let catalog = try ImageCatalog(images)
        return try words.map { word in
            let chosen =
                form == .docker
                ? [try catalog.choose(word, platform: platform)]
                : try catalog.select(word, platform: platform)
            let image = try chosen.first ?? catalog.choose(word, platform: platform)
            let isWhole = form == .oci && platform == nil
            let shipment = try Shipment(
                isWhole ? image.top : image.descriptor, named: image.name, in: images)
            if !shipment.absent.isEmpty {
                context.diagnostics.info(
                    "\(Quoted(image.familiarName)) without what is not here: "
                        + shipment.absent.map { Quoted($0.description).description }.joined(separator: ", "))
            }
            // A name that stands for content cannot be given to anything.
            let hasTag = (try? Reference(image.name))?.digest == nil
            return ImageArchive.Item(shipment, names: hasTag ? [image.name] : [])
        }
    }

    private func write(
        _ archive: ImageArchive, _ images: borrowing ImageLayout, _ file: consuming FileDescriptor,
        _ context: borrowing Context
    ) throws {
        let display = ProgressDisplay(context.diagnostics)
        defer { display.close() }
        try archive.write(from: images, to: FileSink(file)) { blob, done in
            let id = blob.digest.description
            display.update(id: id, label: blob.digest.short, done: done, total: blob.size, phase: "writing")
            if done == blob.size { display.finish(id) }
        }
    }
}

/// Bytes that nobody wants to see on a screen.
struct TerminalOutput: UserFacing, Equatable {
    var message: String { "standard output is a terminal, which is no place for an archive" }
    var hint: String? { "Name a file with -o, or write into a pipe." }
}
