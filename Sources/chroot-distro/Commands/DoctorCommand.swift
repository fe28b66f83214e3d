import CLI
import Libc
import Platform

struct DoctorCommand: PrivilegedCommand {
    static let spec = CommandSpec(
        "doctor", aliases: ["check"], summary: "Find out what is wrong, and repair what is safe to repair",
        group: "Help",
        description: [
            "Tries each feature of the kernel that containers need, and looks at libraries, disk, store, images, sessions, network, graphics, sound and what guards this host. Each finding says what is so, why it matters and what to do. Nothing is changed without --fix.",
            "Without root it tells what it could not look at. The exit status is 1 when there is a problem that is not repaired.",
        ],
        flags: [
            Flag("fix", help: "Delete debris, forget the dead, make the index anew; say what was done"),
            Flag("verify", help: "Also read every image and check its digests, which takes a while"),
            Flag("quiet", short: "q", group: "format", help: "Print only what is not as it should be"),
            Flag("json", group: "format", help: "Print a JSON document"),
        ],
        sections: [
            .init(
                "Severities",
                rows: [
                    .init("ok", "as it should be"),
                    .init("note", "good to know; nothing is lost that you need"),
                    .init("warning", "something does not work, or soon will not"),
                    .init("problem", "containers do not work or are not safe; the exit status is 1"),
                ])
        ],
        examples: [
            .init("chroot-distro doctor"), .init("chroot-distro doctor --fix"),
            .init("chroot-distro doctor --verify --json"),
        ])

    private let fixes: Bool
    private let verifies: Bool
    private let isQuiet: Bool
    private let isJSON: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        fixes = arguments.isSet("fix")
        verifies = arguments.isSet("verify")
        isQuiet = arguments.isSet("quiet")
        isJSON = arguments.isSet("json")
    }

    /// To look is everybody's right.
    var needsRoot: Bool { fixes || verifies }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let doctor = Doctor(context, isThorough: verifies)
        var findings = doctor.examine()
        if fixes { findings = doctor.repair(findings) }
        if isJSON {
            try context.print(findings, .json)
        } else {
            let shown = isQuiet ? findings.filter { $0.severity != .ok } : findings
            try FileDescriptor.standardOutput(FindingReport(findings: shown, style: .of(1)).text())
        }
        return findings.contains { $0.isOpenProblem } ? .failure : .success
    }
}
