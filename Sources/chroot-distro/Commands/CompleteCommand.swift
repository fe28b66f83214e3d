import CLI
import OCI
import Platform
import Store

/// What a shell offers behind a command: one word a line.
struct CompleteCommand: Command {
    static let spec = CommandSpec(
        "__complete", summary: "Print words for a shell's completion", operands: [Operand("KIND")],
        hidden: true)

    private let kind: String

    init(_ arguments: ParsedArguments) throws(UsageError) { kind = try arguments.operand("KIND") }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let layout = context.systemLayout
        // Nothing to offer is no error at a prompt.
        let entries = ((try? PublicIndex.read(layout)) ?? nil)?.containers ?? []
        let words: [String] =
            switch kind {
            case "containers": entries.map(\.name)
            case "running":
                entries.filter { (try? ListedContainer($0, in: layout))?.running == true }.map(\.name)
            case "images":
                Set(
                    entries.compactMap(\.image)
                        + ((try? ImageLayout.publicNames(layout.cache)) ?? []).map {
                            StoredImage.familiar($0)
                        }
                ).sorted()
            default: []
            }
        try FileDescriptor.standardOutput(words.map { Quoted($0).description + "\n" }.joined())
        return .success
    }
}
