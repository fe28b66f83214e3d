import CLI
import Platform
import Store

struct CopyCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "copy", aliases: ["cp"], summary: "Copy files to, from and between containers",
        group: "Files and backups",
        description: [
            "Copies SRC to DEST; at least one of them is in a container. When DEST is a directory, SRC goes into it. Missing directories on the way to DEST are made.",
            "Owners, modes, times, extended attributes, hard links and holes stay as they are; what you copy to this host while the program becomes root for you is yours. Devices, FIFOs and sockets are left out. Each file appears under its name only when it is whole. A symbolic link that SRC names is followed, those inside SRC are copied as links; none can lead out of a container.",
            "What a session has mounted, such as /tmp and /dev, is not part of a container's own files.",
        ],
        operands: CopyRun.operands,
        flags: [
            Flag("recursive", short: "r", help: "Copy directories with everything in them"),
            Flag(
                "move", short: "m",
                help: "Remove SRC when all of it has been copied and is on the disk"),
        ] + CopyRun.flags,
        sections: [CopyRun.places],
        examples: [
            .init("chroot-distro copy ./file.txt debian:/root/"),
            .init("chroot-distro cp debian:/etc/resolv.conf ./resolv.conf.bak"),
            .init("chroot-distro cp -r --chown www-data ./site debian:/var/www"),
            .init("chroot-distro cp -m -r debian:/srv/data fedora:/srv"),
        ])

    private let job: CopyRun

    init(_ arguments: ParsedArguments) throws(UsageError) {
        job = try CopyRun(
            arguments,
            arguments.isSet("move") ? .move : .copy(isRecursive: arguments.isSet("recursive")))
    }

    func run(in context: borrowing Context) throws -> ExitStatus { try job.run(in: context) }
}
