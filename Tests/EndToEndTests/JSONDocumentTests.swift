import CLI
import Libc
import Platform
import TestSupport
import Testing

/// `docs/json.md` as a program reads it.
private struct DocumentedKeys {
    private let lines: [Substring]

    init() throws {
        let root = HostPath(#filePath).parent.parent.parent
        let text = try Run.succeeding("cat", [(root / "docs/json.md").rawValue])
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The first column of the table in a section.
    func keys(ofSection title: String) -> Set<String> {
        let section = lines.drop { $0 != "## \(title)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
        return Set(
            section.filter { $0.hasPrefix("| `") }.flatMap { Self.quoted($0.split(separator: "|")[0]) })
    }

    /// The name of the list and the keys of its items, of a command that has a row of its own.
    func row(of command: String) -> (list: String, keys: Set<String>)? {
        let cells = lines.lazy.map { $0.split(separator: "|") }.first {
            $0.count > 2 && Self.quoted($0[0]).contains(command)
        }
        guard let cells, let list = Self.quoted(cells[1]).first else { return nil }
        return (list, Set(Self.quoted(Self.withoutParentheses(cells[2].prefix { $0 != ";" }))))
    }

    /// The words between backticks.
    private static func quoted(_ text: Substring) -> [String] {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }

    private static func withoutParentheses(_ text: Substring) -> Substring {
        var depth = 0
        return Substring(
            text.filter { character in
                if character == "(" { depth += 1 }
                defer { if character == ")" { depth -= 1 } }
                return depth == 0
            })
    }
}

@Suite("The keys of a JSON document", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct JSONDocumentTests {
    /// What `--json` prints, and the keys of its list's items together.
    private func keys(_ program: Program, _ list: String, _ words: [String]) throws -> Set<String> {
        let outcome = try Run.program(BuiltBinary.path, words + ["--json"], environment: program.environment)
        let document = try JSONParser.parse(outcome.output)
        #expect(document["schema"]?.integer(Int.self) == 1, "\(words)")
        let items = try #require(document[list]?.elements, "\(words): \(outcome.stdout)\(outcome.stderr)")
        try #require(!items.isEmpty, "\(words)")
        return Set(items.flatMap { $0.members ?? [] }.map(\.name))
    }

    @Test("are those of docs/json.md, in every listing")
    func listings() throws {
        let documented = try DocumentedKeys()
        let program = try Program.with("box") { tar in
            tar.add("bin/httpd", .symbolicLink, target: "busybox")
        }
        let session = try program.start(
            "login", "box", "--", "sh", "-c",
            "i=8000; while ! httpd -p 127.0.0.1:$i 2>/dev/null; do i=$((i+1)); done; echo >/new; echo up; cat"
        )
        _ = try session.read(until: "up")
        try Waiting.require("it listens") { try program.succeed("ports", "-q").lines.isEmpty == false }
        let image = try #require(program.succeed("image", "ls", "-q").lines.first)
        for command in ["ps", "top", "stats", "ports", "image ls", "image history", "image files"] {
            let row = try #require(documented.row(of: command), "\(command) is not documented")
            var words = command.split(separator: " ").map(String.init)
            if ["image history", "image files"].contains(command) { words.append(image) }
            if command == "image history" { continue }  // This image has none.
            // Nor does it say when it was made.
            let found = try keys(program, row.list, words).union(command == "image ls" ? ["created"] : [])
            #expect(found == row.keys, "\(command)")
        }
        try program.restore("kept", of: "debian:12")
        #expect(try keys(program, "containers", ["list"]) == documented.keys(ofSection: "list"))
        let changes = try keys(program, "changes", ["diff", "box", "--all"])
        #expect(changes == documented.keys(ofSection: "diff"))
        // What is not known is left out.
        let findings = try keys(program, "findings", ["doctor"])
        #expect(findings.isSubset(of: documented.keys(ofSection: "doctor")), "\(findings)")
        #expect(findings.isSuperset(of: ["id", "severity", "summary"]), "\(findings)")
        let info = try JSONParser.parse(program.succeed("info", "--json").output)
        let parts = Set((info.members ?? []).map(\.name))
        #expect(parts == documented.keys(ofSection: "info").union(["schema"]))
        try program.succeed("kill", "box")
        _ = try session.finish()
    }

    @Test("are told of every command that has --json")
    func complete() throws {
        let documented = try DocumentedKeys()
        let text = try Run.succeeding(
            "cat", [(HostPath(#filePath).parent.parent.parent / "docs/json.md").rawValue])
        for spec in EveryCommand.specs where spec.flags.contains(where: { $0.name == "json" }) {
            let isTold =
                documented.row(of: spec.name) != nil || !documented.keys(ofSection: spec.name).isEmpty
                || text.contains("`\(spec.name)` ") || text.contains("`\(spec.name) --json` ")
            #expect(isTold, "\(spec.name)")
        }
    }
}
