import Archive
import CLI
import Libc
import OCI
import Platform

struct ImageLoadCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image load", summary: "Take images out of an archive or a layout into the store", group: "Images",
        description: [
            "Reads an OCI archive or one of `docker save`, compressed or not, from FILE or standard input; FILE may also be the directory of an OCI layout. All of its images and platforms get the names that the archive gives them: load only what you trust to say what debian:12 is. A name that another image has is refused.",
            "Everything is verified before any name is given, and nothing is fetched from anywhere.",
        ],
        operands: [Operand("FILE", .file, optional: true)],
        flags: [
            Flag(
                "input", short: "i", value: "FILE", kind: .file,
                help: "The same as the operand, as docker has it"),
            Flag(
                "name", short: "n", value: "NAME", help: "Give the one image in it this name"),
            Flag("replace", help: "Take names from images that have them"), .quietImages,
        ],
        examples: [
            .init("chroot-distro image load debian.tar"), .init("chroot-distro image load ./layout"),
            .init("docker save app | chroot-distro image load"),
        ])

    private let path: RawString?
    private let name: Reference?
    private let replaces: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        path = arguments.rawOperand("FILE") ?? arguments.raw("input")
        if let text = try arguments.text("name") {
            name = try ParsedArguments.reference(text, "image load")
        } else {
            name = nil
        }
        replaces = arguments.isSet("replace")
        isQuiet = arguments.isSet("quiet")
        if let name, name.digest != nil { throw arguments.invalid("name", "a digest cannot be given") }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let images = try context.images()
        try? images.sweepImports()
        _ = try? images.sweepParts(olderThan: 14 * 86400)
        for image in try load(open(), into: images) {
            let platforms = Set(image.platforms.map(\.description)).sorted().map { Quoted($0).description }
            for name in image.names {
                context.diagnostics.info(
                    "Loaded \(Quoted(name.familiar)) for \(platforms.joined(separator: ", "))")
            }
        }
        return .success
    }

    private func load(
        _ source: consuming FileDescriptor, into images: borrowing ImageLayout
    ) throws -> [LoadedImage] {
        let isDirectory = try source.status().kind == .directory
        return isDirectory
            ? try ArchiveImporter.loadAll(
                Directory(adopting: source), into: images, as: name, replaces: replaces)
            : try ArchiveImporter.loadAll(FileSource(source), into: images, as: name, replaces: replaces)
    }

    private func open() throws -> FileDescriptor {
        if let path, path != "-" {
            // A FIFO is as good as a file, but a terminal must not become ours.
            return try FileDescriptor.open(HostPath(path.text), O_RDONLY | O_NOCTTY)
        }
        guard !Terminal.isTerminal(0) else { throw TerminalInput() }
        return FileDescriptor(adopting: try syscall("dup") { fcntl(0, F_DUPFD_CLOEXEC, 3) })
    }
}

/// Nobody types an archive.
struct TerminalInput: UserFacing, Equatable {
    var message: String { "standard input is a terminal, from which no archive can be read" }
    var hint: String? { "Name a file, or write an archive into the pipe." }
}
