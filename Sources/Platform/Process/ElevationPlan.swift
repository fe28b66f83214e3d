import Libc

/// How the program is to be started again as root: which tool, and its exact arguments.
///
/// Everything that has to cross travels in the handoff; the command line says only where that is.
package struct ElevationPlan: Hashable, Sendable {
    /// The tools that make somebody root, in the order in which Linux tries them.
    package enum Tool: String, CaseIterable, Hashable, Sendable { case sudo, doas, pkexec, su }

    package let tool: Tool
    package let program: HostPath
    /// What the tool finds behind its name.
    package let arguments: [RawString]

    /// The hidden first argument of the program when it runs as root.
    package static let handoffPrefix: RawString = "--handoff="

    /// The tools to try: on Termux `su` is real root, elsewhere it asks for a password that few people have.
    package static func order(onTermux: Bool, prefersSudo: Bool) -> [Tool] {
        guard onTermux else { return Tool.allCases }
        return prefersSudo ? [.sudo, .su] : [.su, .sudo]
    }

    /// What is to be run: this program, with the path of its handoff.
    package struct Target: Hashable, Sendable {
        package let program: RawString
        package let handoff: String

        package init(program: RawString, handoff: String) {
            self.program = program
            self.handoff = handoff
        }

        fileprivate var words: [RawString] {
            [program, RawString(bytes: handoffPrefix.bytes + Array(handoff.utf8)) ?? handoffPrefix]
        }
    }

    /// For sudo, doas, pkexec and the `su` of a Linux distribution.
    package init(_ tool: Tool, at program: HostPath, for target: Target) {
        self.tool = tool
        self.program = program
        arguments =
            switch tool {
            case .sudo, .doas: ["--"] + target.words
            case .pkexec: ["--disable-internal-agent"] + target.words
            case .su: ["-c", Self.command([:], target), "root"]
            }
    }

    /// For an Android `su`, with the options that it has.
    package init(su program: HostPath, features: SuFeatures, session: TermuxSession, for target: Target) {
        tool = .su
        self.program = program
        var words: [RawString] = []
        if features.mountMaster, session.wantsMountMaster { words.append("--mount-master") }
        if features.preserveEnvironment { words.append("--preserve-environment") }
        if features.interactive, session.isInteractive { words.append("--interactive") }
        if features.shell, let shell = session.shell { words += ["--shell", RawString(shell.rawValue)] }
        arguments = words + ["-c", Self.command(session.exports, target)]
    }

    /// One command line for the shell that `su` starts.
    private static func command(_ exports: [RawString: RawString], _ target: Target) -> RawString {
        var line: [UInt8] = []
        for (name, value) in exports.sorted(by: { $0.key < $1.key }) {
            line += Array("export ".utf8) + name.bytes + [UInt8(ascii: "=")] + ShellWords.quote(value).bytes
            line += Array("; ".utf8)
        }
        line += Array("exec".utf8)
        for word in target.words { line += [UInt8(ascii: " ")] + ShellWords.quote(word).bytes }
        return RawString(bytes: line) ?? ""
    }
}
