import CLI
import Libc
import OCI
import Platform
import Store

struct InstallCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "install", aliases: ["add", "i", "in", "ins"], summary: "Make a container of an image or an archive",
        group: "Living in containers",
        description: [
            "IMAGE is an image of a registry such as debian:12 or ghcr.io/owner/name@sha256:..., a local archive or OCI layout directory that begins with /, ./, ../ or ~, an http(s) address of an archive, or - for an archive on standard input.",
            "Archives may be root file systems, OCI layouts, docker-save files or backups, in gzip, bzip2, xz, lzma, zstd or plain, or squashfs images such as enroot's, for which unsquashfs has to be there.",
            "An image that is in the store with all its layers is installed without a network.",
        ],
        operands: [Operand("IMAGE", .imageOrFile, repeatable: true)],
        flags: [
            Flag(
                "name", short: "n", value: "NAME", group: "name",
                help: "Name of the container (default: that of the image)"),
            Flag("override-alias", value: "NAME", group: "name", help: "The same as --name"),
            .architecture("Take the image for this processor"),
            Flag(
                "pull", value: "WHEN", kind: .choice(PullPolicy.allCases.map(\.rawValue)),
                help: "Ask the registry: missing (default), always or never"),
            .allowInsecure,
            Flag("quiet", short: "q", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro install debian:12"),
            .init("chroot-distro install alpine:3.21 --name my-alpine"),
            .init("chroot-distro install ./rootfs.tar.xz"),
            .init("chroot-distro install ./ubuntu.sqsh"),
            .init("cat rootfs.tar.gz | chroot-distro install - -n demo"),
        ])

    private let words: [String]
    private let name: ContainerName?
    private let platform: ImagePlatform
    private let policy: PullPolicy
    private let allowsInsecure: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        words = try arguments.operands("IMAGE")
        let longName = try arguments.text("name")
        let alias = try arguments.text("override-alias")
        if let text = longName ?? alias { name = try ParsedArguments.name(text) } else { name = nil }
        platform = try arguments.platform() ?? .host
        policy = try arguments.text("pull").flatMap { PullPolicy(rawValue: $0) } ?? .missing
        allowsInsecure = arguments.isSet("allow-insecure")
        isQuiet = arguments.isSet("quiet")
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        if name != nil, words.count > 1 { throw InstallError.nameForMany }
        var jobs: [(source: InstallSource, name: ContainerName)] = []
        for word in words {
            let source = try InstallSource(word, home: context.caller.home)
            jobs.append((source, try name ?? source.defaultName()))
        }
        var names: Set<ContainerName> = []
        for job in jobs where !names.insert(job.name).inserted { throw InstallError.sameName(job.name) }
        let installer = try Installer.open(
            context, platform: platform, policy: policy, allowsInsecure: allowsInsecure)
        try installer.requireFree(jobs.map(\.name))
        for job in jobs {
            let result = try installer.install(job.source, as: job.name)
            context.diagnostics.info("Installed \(result.name)")
            context.diagnostics.info("Start shell:    chroot-distro login \(result.name)")
            if result.hasEntrypoint {
                context.diagnostics.info("Run entrypoint: chroot-distro run \(result.name)")
            }
        }
        return .success
    }
}
