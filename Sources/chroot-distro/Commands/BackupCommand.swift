import Archive
import CLI
import Libc
import Platform
import Store

struct BackupCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "backup", aliases: ["bak", "bkp"], summary: "Write a container into an archive",
        group: "Files and backups",
        description: [
            "Writes a tar archive with CONTAINER/manifest.json and CONTAINER/rootfs, to FILE or to standard output. Owners, hard links, extended attributes, holes and devices are kept. Sockets and what is mounted inside are left out.",
            "A running container stands still meanwhile, so that the copy is consistent; where the kernel cannot do that, it is said that the copy was taken of something moving.",
            "With --base only what has been changed since that backup is written, with a list of what is still there. The base is a whole backup or such an increment; restore takes the whole one and all increments in their order. What was changed is told by the time of the last change, which no program can set, so the host's clock must not go backwards in between.",
            "Without --compress, the end of FILE says how: .tar.gz or .tgz, .tar.bz2 or .tbz2, .tar.xz or .txz, .tar.zst or .tzst, or only .gz, .bz2, .xz or .zst. Any other name gets a plain archive, but for those of formats that are not written, such as .lz4 and .zip, which are refused.",
            "FILE appears when it is complete, and replaces nothing. To encrypt a backup, send it through a pipe: chroot-distro backup NAME | age -r KEY >NAME.tar.age",
        ],
        operands: [Operand("CONTAINER", .container)],
        flags: [
            Flag(
                "output", short: "o", value: "FILE", kind: .file,
                help: "Write to FILE, which must not exist yet"),
            Flag(
                "base", value: "FILE", kind: .file,
                help: "Write only what has been changed since the backup FILE; - is standard input"),
            Flag(
                "compress", short: "c", value: "TYPE",
                kind: .choice(["gzip", "bzip2", "xz", "zstd", "none"]),
                help: "Compress so, whatever FILE is called: gzip, bzip2, xz, zstd or none"),
            Flag("numeric-zero", help: "Let everything in the archive belong to user and group 0"),
            Flag("verify", help: "Read FILE again and compare it with the container"),
            Flag("live", help: "Let a running container go on meanwhile"),
            Flag("verbose", short: "v", group: "talk", help: "Name each file that is written"),
            Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro backup debian --output debian.tar.zst"),
            .init("chroot-distro backup debian -o monday.tar.zst --base debian.tar.zst"),
            .init("chroot-distro backup debian | gzip >debian.tar.gz"),
            .init("chroot-distro backup debian | gpg -c >debian.tar.gpg"),
            .init("gpg -d debian.tar.gpg | chroot-distro backup debian --base - | gpg -c >monday.tar.gpg"),
        ])

    private let name: ContainerName
    private let output: HostPath?
    private let options: BackupOptions
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        name = try arguments.container("CONTAINER")
        let file = try arguments.text("output")
        if file?.isEmpty == true { throw arguments.invalid("output", "it is empty") }
        output = file.flatMap { $0 == "-" ? nil : HostPath($0) }
        var options = BackupOptions()
        options.format = try arguments.text("compress").flatMap { Compression(rawValue: $0) }
        let base = try arguments.text("base")
        if base?.isEmpty == true { throw arguments.invalid("base", "it is empty") }
        options.base = base.map { BackupFile($0) }
        options.hasZeroOwners = arguments.isSet("numeric-zero")
        options.verifies = arguments.isSet("verify")
        options.isLive = arguments.isSet("live")
        options.isVerbose = arguments.isSet("verbose")
        self.options = options
        isQuiet = arguments.isSet("quiet")
        if options.verifies, output == nil {
            throw UsageError("--verify needs a file: what goes into a pipe cannot be read again")
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        try Backup(copy context, of: name, options).run(to: output)
        return .success
    }
}
