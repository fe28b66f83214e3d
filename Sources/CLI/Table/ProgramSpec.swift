/// The program in words: what stands around its commands.
package struct ProgramSpec: Sendable {
    /// What it is started as.
    package let name: String
    /// What `--version` prints behind the name.
    package let version: String
    /// One sentence without a full stop.
    package let summary: String
    /// Paragraphs.
    package let description: [String]
    /// Flags that stand before the command; `--help` and `--version` need not be named.
    package let flags: [Flag]
    /// Parts of the front page behind the options.
    package let sections: [CommandSpec.Section]
    /// The quick start.
    package let examples: [CommandSpec.Example]

    package init(
        name: String, version: String, summary: String, description: [String] = [], flags: [Flag] = [],
        sections: [CommandSpec.Section] = [], examples: [CommandSpec.Example] = []
    ) {
        self.name = name
        self.version = version
        self.summary = summary
        self.description = description
        self.flags = flags
        self.sections = sections
        self.examples = examples
    }
}

extension Flag {
    /// Every command's own help; never in a table, because the parser answers it.
    static let help = Flag("help", short: "h", help: "Show this help")
    /// What older versions called it.
    static let usage = Flag("usage", hidden: true, help: "Show this help")
    static let version = Flag("version", short: "V", help: "Show the version")
}
