import CLI
import Platform
import Store

struct SyncCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "sync", summary: "Bring files in, out of or between containers up to date",
        group: "Files and backups",
        description: [
            "Makes DEST what SRC is, and copies only what differs: a file whose size and time are the same is not read. A directory always comes with everything in it, and DEST is its mirror, not a place for it.",
            "Owners, modes and times that differ are corrected. A directory and a file never take each other's place, unless with --delete. Devices, FIFOs and sockets are left out.",
        ],
        operands: CopyRun.operands,
        flags: [
            Flag("checksum", short: "c", help: "Compare the content of files, not their times"),
            Flag("delete", short: "d", help: "Delete what is in DEST and not in SRC"),
        ] + CopyRun.flags,
        sections: [CopyRun.places],
        examples: [
            .init("chroot-distro sync ./app debian:/opt/app"),
            .init("chroot-distro sync --delete debian:/etc ./etc-of-debian"),
            .init("chroot-distro sync -c debian:/srv/data fedora:/srv/data"),
        ])

    private let job: CopyRun

    init(_ arguments: ParsedArguments) throws(UsageError) {
        job = try CopyRun(
            arguments,
            .sync(byContent: arguments.isSet("checksum"), deletes: arguments.isSet("delete")))
    }

    func run(in context: borrowing Context) throws -> ExitStatus { try job.run(in: context) }
}
