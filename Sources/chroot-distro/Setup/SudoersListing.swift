import Libc
import Platform

/// What somebody may do, as `sudo -l` lists it: a rule on each line, in the order in which they are read.
struct SudoersListing {
    /// A command of a rule.
    private struct Permission {
        let rule: String
        let isForRoot: Bool
        let needsPassword: Bool
        /// A path, a pattern, a directory that ends with a slash, or `ALL`.
        let command: String

        func covers(_ program: HostPath) -> Bool {
            let path = program.rawValue
            return isForRoot
                && (command == "ALL" || command == path
                    || command.hasSuffix("/") && path == command + program.lastComponent
                    || fnmatch(command, path, FNM_PATHNAME) == 0)
        }
    }

    private let permissions: [Permission]

    init(_ text: String) { permissions = text.split(separator: "\n").flatMap(Self.permissions) }

    /// The rule that counts for a program, when it asks for a password: of those that match, the last counts.
    func overriding(_ program: HostPath) -> String? {
        guard let last = permissions.last(where: { $0.covers(program) }), last.needsPassword else {
            return nil
        }
        return last.rule
    }

    /// Of a line such as `(ALL : ALL) NOPASSWD: /bin/a, PASSWD: /bin/b`.
    private static func permissions(_ line: Substring) -> [Permission] {
        let text = line.drop { $0 == " " || $0 == "\t" }
        guard text.first == "(", let end = text.firstIndex(of: ")") else { return [] }
        let users = text.dropFirst().prefix { $0 != ":" && $0 != ")" }
        let isForRoot = users.split { $0 == "," || $0 == " " }.contains {
            ["ALL", "root", "#0"].contains($0)
        }
        // A tag stands before a command and counts for those that follow, too.
        var needsPassword = true
        return text[text.index(after: end)...].split(separator: ",").map { part in
            var command = part.drop { $0 == " " }
            while let colon = command.firstIndex(of: ":"), command[..<colon].utf8.allSatisfy(isOfTag) {
                if command[..<colon] == "NOPASSWD" { needsPassword = false }
                if command[..<colon] == "PASSWD" { needsPassword = true }
                command = command[command.index(after: colon)...].drop { $0 == " " }
            }
            return Permission(
                rule: String(text), isForRoot: isForRoot, needsPassword: needsPassword,
                command: String(command.prefix { $0 != " " }))
        }
    }

    private static func isOfTag(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || byte == 0x5f }
}
