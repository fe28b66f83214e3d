import Archive
import CLI
import Libc
import OCI
import Platform
import Store

struct ImageUnpackCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "image unpack", summary: "Unpack an image into a directory", group: "Images",
        description: [
            "Applies the layers of an image that is in the store, with owners, modes, times, links and attributes. DIR must not exist and appears when everything is in it."
        ],
        operands: [Operand("IMAGE", .image)],
        flags: [
            Flag(
                "output", short: "o", value: "DIR", kind: .directory,
                help: "Unpack to DIR (default: ./rootfs)"),
            .architecture("Unpack the image for this processor"), .quietImages,
        ],
        examples: [.init("chroot-distro image unpack alpine -o ./alpine")])

    private let image: String
    private let output: RawString
    private let platform: ImagePlatform?
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        image = try arguments.operand("IMAGE")
        output = arguments.raw("output") ?? "rootfs"
        platform = try arguments.platform()
        isQuiet = arguments.isSet("quiet")
        if output.bytes.isEmpty { throw arguments.invalid("output", "it is empty") }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let path = HostPath(output.text).absolute
        let parent = try Directory.open(path.parent)
        let name = RawString(path.lastComponent)
        if try parent.statusIfPresent(name) != nil {
            throw SystemError("mkdir", Quoted(path).description, code: EEXIST)
        }
        let images = try context.images()
        let use = try images.beginUse()
        let room = try UnpackRoom.make(for: name, in: parent)
        let outcome = Result {
            try unpack(into: room.directory, from: images, context)
            try room.directory.rename("rootfs", to: parent, name, .failIfTaken)
        }
        room.remove(from: parent)
        try outcome.get()
        use.release()
        context.diagnostics.info("Unpacked to \(path)")
        return .success
    }

    private func unpack(
        into room: borrowing Directory, from images: borrowing ImageLayout, _ context: borrowing Context
    ) throws {
        let found = try ImageCatalog(images).choose(image, platform: platform)
        try room.makeDirectory("rootfs", mode: 0o755)
        var applied = AppliedLayers(try LayerApplier(room.openDirectory("rootfs")))
        let puller = try context.puller(allowsInsecure: false)
        let resolved = try puller.resolve(
            Reference(found.name), for: found.platform ?? .host, policy: .never, in: images)
        let progress = InstallProgress(context.diagnostics)
        defer { progress.close() }
        try puller.deliver(resolved, in: images, observer: progress, into: &applied)
        progress.close()
        if let summary = applied.report.summary { context.diagnostics.warning(summary) }
    }
}

/// The directory beside its place in which something is unpacked; one whose maker was killed is removed by the next one
/// for the same place.
///
/// It is locked as long as its maker lives.
private struct UnpackRoom: ~Copyable {
    let directory: Directory
    private let file: RawString

    private init(_ file: RawString, _ directory: consuming Directory) {
        self.file = file
        self.directory = directory
    }

    /// Nobody else reaches what is setuid in it before it is whole.
    static func make(for name: RawString, in parent: borrowing Directory) throws(SystemError) -> UnpackRoom {
        let prefix = ".\(name.text).unpack-"
        sweep(prefix, in: parent)
        while true {
            let file = RawString("\(prefix)\(UInt64.random(in: 0 ... .max))")
            try parent.makeDirectory(file, mode: 0o700)
            // Whoever sweeps may have come between the calls.
            if let directory = try open(file, in: parent) { return UnpackRoom(file, directory) }
        }
    }

    /// Opens and locks a directory of ours; `nil` where it is none, not there any more, or somebody works in it.
    private static func open(_ file: RawString, in parent: borrowing Directory) throws(SystemError)
        -> Directory?
    {
        guard let directory = try? parent.openDirectory(file) else { return nil }
        let status = try directory.status()
        guard status.owner == geteuid(), try directory.tryLock(),
            try parent.statusIfPresent(file)?.inode == status.inode
        else { return nil }
        return directory
    }

    private static func sweep(_ prefix: String, in parent: borrowing Directory) {
        for entry in (try? parent.entries()) ?? [] {
            let text = entry.name.text
            guard text.hasPrefix(prefix), UInt64(text.dropFirst(prefix.count)) != nil,
                let left = try? open(entry.name, in: parent)
            else { continue }
            try? TreeRemoval().remove(entry.name, from: parent)
            _ = consume left  // It was locked up to here.
        }
    }

    /// Removes it with all that is in it.
    func remove(from parent: borrowing Directory) { try? TreeRemoval().remove(file, from: parent) }
}
