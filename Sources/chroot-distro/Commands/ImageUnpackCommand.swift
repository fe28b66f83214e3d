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
        // Nobody else reaches what is setuid in it before it is whole.
        let staging = RawString(".\(name.text).unpack-\(UInt64.random(in: 0 ... .max))")
        try parent.makeDirectory(staging, mode: 0o700)
        let room = try parent.openDirectory(staging)
        let outcome = Result { try unpack(into: room, context) }
        do {
            try outcome.get()
            try room.rename("rootfs", to: parent, name, .failIfTaken)
        } catch {
            try? TreeRemoval().remove(staging, from: parent)
            throw error
        }
        try parent.removeDirectory(staging)
        context.diagnostics.info("Unpacked to \(path)")
        return .success
    }

    private func unpack(into room: borrowing Directory, _ context: borrowing Context) throws {
        let images = try context.images()
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
