import CLI
import Platform

struct InfoCommand: Command {
    static let spec = CommandSpec(
        "info", aliases: ["version-info", "nf"], summary: "Show versions, places and containers",
        group: "Help",
        description: [
            "Shows what a report of a defect should say: the versions of the program, of the kernel and of the libraries, the host, where everything is kept, how to become root, and the containers with their sizes. What is wrong is told by doctor."
        ],
        flags: [Flag("json", help: "Print a JSON document")],
        examples: [.init("chroot-distro info"), .init("chroot-distro info --json")])

    private let isJSON: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) { isJSON = arguments.isSet("json") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let report = try HostReport(context)
        try FileDescriptor.standardOutput(isJSON ? JSONListing.text(report) : report.text(style: .of(1)))
        return .success
    }
}
