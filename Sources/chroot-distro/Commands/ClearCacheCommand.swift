import CLI
import Libc
import OCI
import Platform
import Store

struct ClearCacheCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "clear-cache", aliases: ["clear", "cl"], summary: "Delete downloaded images", group: "Images",
        description: [
            "Deletes all images, and what is left of downloads. Containers go on as they are, but the next installation has to fetch its image again, and so have `reset`, `commit` and the first `diff` of a container. With one of the options only a part is deleted, and nothing that a container was made of.",
            "Nothing is deleted while another command uses the image store.",
        ],
        flags: [
            Flag(
                "orphan", group: "part",
                help: "Delete only what belongs to no image and to no container's image"),
            Flag(
                "build-cache", group: "part",
                help: "Delete only what builds have left behind and no image contains"),
            Flag("keep", value: "SIZE", help: "With --build-cache: leave this much of what was used last"),
            Flag("verbose", short: "v", group: "talk", help: "Name each file that is deleted"),
            Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
        ],
        examples: [
            .init("chroot-distro clear-cache"), .init("chroot-distro clear-cache --orphan"),
            .init("chroot-distro clear-cache --build-cache --keep 2G"),
        ])

    private enum Part { case everything, orphans, buildCache(keep: Int64) }

    private let part: Part
    private let isVerbose: Bool
    private let isQuiet: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        isVerbose = arguments.isSet("verbose")
        isQuiet = arguments.isSet("quiet")
        let keep = try arguments.text("keep")
        if arguments.isSet("build-cache") {
            guard let size = keep.map({ ByteCount($0) }) ?? ByteCount(0) else {
                throw arguments.invalid(
                    "keep", "\(Quoted(keep ?? "")) is not a size", hint: "Such as 500M or 2G.")
            }
            part = .buildCache(keep: size.bytes)
        } else {
            guard keep == nil else { throw arguments.invalid("keep", "it belongs to --build-cache") }
            part = arguments.isSet("orphan") ? .orphans : .everything
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let diagnostics = context.diagnostics
        let isVerbose = isVerbose
        let tell: (RawString) -> Void = { name in
            if isVerbose { diagnostics.info("deleted \(Quoted(bytes: name.bytes))") }
        }
        var bytes: Int64 = 0
        if let images = try context.existingImages() {
            let sole = try images.claim()
            bytes =
                switch part {
                case .everything: try sole.clear(onRemove: tell).bytes
                case .orphans: try sole.collectGarbage(onRemove: tell).bytes
                case .buildCache(let keep): try sole.collectGarbage(sparing: keep, onRemove: tell).bytes
                }
        }
        if case .everything = part { try ImageRun.sweep(context, olderThan: 0) }
        if access(context.layout.cache.rawValue, F_OK) == 0 {
            let names: Set<RawString> =
                switch part {
                case .everything: CacheLeftovers.everything
                case .orphans: []
                case .buildCache: CacheLeftovers.builds
                }
            bytes += try CacheLeftovers.remove(names, from: context.cache(), onRemove: tell)
        }
        diagnostics.info("Freed \(ByteCount(bytes))")
        return .success
    }
}
