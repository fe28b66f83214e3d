import CLI
import Libc
import Platform
import Store

struct ExportCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "export", summary: "Write a container's files into a squashfs image", group: "Files and backups",
        description: [
            "Makes a squashfs image of the root file system, which enroot, mount and chroot-distro install take. It needs mksquashfs of squashfs-tools 4.5 or later. Sockets and what is mounted inside are left out, and times before 1970 become 1970.",
            "As with backup, a running container stands still meanwhile where the kernel can do that, and FILE appears when it is complete and replaces nothing.",
        ],
        operands: [Operand("CONTAINER", .container)],
        flags: [
            Flag(
                "output", short: "o", value: "FILE", kind: .file,
                help: "Write to FILE (default: CONTAINER.sqsh here), which must not exist yet"),
            Flag(
                "compress", short: "c", value: "TYPE", kind: .choice(["zstd", "gzip", "lzo", "lz4", "xz"]),
                help: "Compress with zstd (default), gzip, lzo, lz4 or xz"),
            Flag("numeric-zero", help: "Let everything belong to user and group 0, as enroot does"),
            Flag("live", help: "Let a running container go on meanwhile"),
            Flag("quiet", short: "q", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro export debian -o debian.sqsh"), .init("enroot create debian.sqsh"),
            .init("chroot-distro install ./debian.sqsh --name copy"),
        ])

    private let name: ContainerName
    private let output: HostPath
    private let format: String
    private let hasZeroOwners: Bool
    private let isLive: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        output = HostPath(try arguments.text("output") ?? "\(name).sqsh")
        format = try arguments.text("compress") ?? "zstd"
        hasZeroOwners = arguments.isSet("numeric-zero")
        isLive = arguments.isSet("live")
        isQuiet = arguments.isSet("quiet")
    }

    private func publish(_ file: PendingFile) throws {
        do throws(SystemError) { try file.publish() } catch {
            throw BackupError.cannotPublish(output, error)
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let store = try context.store()
        guard try store.contains(name) else { throw try store.notInstalled(name) }
        let file = try context.newFile(output)
        let lock = try store.lock(name, .exclusive, for: "export")
        let container = try store.container(name)
        let freeze = try context.hold(name, isLive: isLive)
        let export = SquashfsExport(copy context, format: format, hasZeroOwners: hasZeroOwners)
        try export.run(BackupContents.uncovered(container.rootfs().directory), to: file.descriptor)
        try publish(file)
        context.letGo(freeze)
        lock.release()
        context.diagnostics.info("Wrote \(output)")
        return .success
    }
}
