import Archive
import CLI
import Libc
import Platform
import Store

struct RestoreCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "restore", summary: "Make a container of its backup", group: "Files and backups",
        description: [
            "Reads a backup that this program, the Python chroot-distro or proot-distro made, from BACKUP_FILE or standard input, compressed with gzip, bzip2, xz, lzma, zstd or not at all. The container has the name that it had.",
            "It is prepared beside the others and appears when it is complete: whatever happens before, nothing has changed.",
            "INCREMENTs are what backup --base has made: they follow BACKUP_FILE in the order in which they were made, each after the one that was its base; anything else is refused.",
            "Hard links that proot had emulated become hard links again. To restore under another name: chroot-distro install BACKUP_FILE --name NAME",
        ],
        operands: [
            Operand("BACKUP_FILE", .file, optional: true),
            Operand("INCREMENT", .file, optional: true, repeatable: true),
        ],
        flags: [
            Flag(
                "force", short: "f", help: "Replace a container that already has the name, and stop it first"),
            Flag("verbose", short: "v", group: "talk", help: "Name each file that is restored"),
            Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro restore debian.tar.zst"),
            .init("chroot-distro restore debian.tar.zst monday.tar.zst tuesday.tar.zst"),
            .init("gpg -d debian.tar.gpg | chroot-distro restore"),
            .init("age -d -i KEY monday.age | chroot-distro restore debian.tar.zst -"),
            .init("chroot-distro restore <(age -d -i KEY debian.age) <(age -d -i KEY monday.age)"),
        ])

    private let files: [BackupFile]
    private let isForced: Bool
    private let isVerbose: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        let first = try arguments.optionalOperand("BACKUP_FILE") ?? "-"
        files = ([first] + (try arguments.operands("INCREMENT"))).map { BackupFile($0) }
        try BackupFile.requireDistinct(files)
        isForced = arguments.isSet("force")
        isVerbose = arguments.isSet("verbose")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let restoration = try Restoration(copy context, isForced: isForced, isVerbose: isVerbose)
        let name = try restoration.run(files)
        context.diagnostics.info("Restored \(name)")
        context.diagnostics.info("Start shell:    chroot-distro login \(name)")
        return .success
    }
}
