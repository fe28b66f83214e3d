import Libc
import Platform

/// The rule for doas: lines between two marks at the end of `/etc/doas.conf` (doas.conf(5)).
///
/// The last rule that fits decides, so ours stands behind all others.
struct DoasRule {
    let tools: SetupTools

    static let path: HostPath = "/etc/doas.conf"
    private static let file: RawString = "doas.conf"
    private static let begin =
        "# >>> chroot-distro setup; chroot-distro setup --uninstall removes these lines"
    private static let end = "# <<< chroot-distro setup"

    static func section(_ program: HostPath) -> String {
        """
        \(begin)
        # Whoever is in the group counts as root: containers give access to the whole machine.
        permit nopass :\(Setup.group) as root cmd \(program.rawValue)
        \(end)

        """
    }

    /// The text without our lines; all others stay as they are, byte for byte.
    static func without(_ text: String) throws(SetupError) -> String {
        var kept: [Substring] = []
        var isInside = false
        // By scalars: a character may be made of the end of a line and what follows it.
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            switch String(line) {
            case begin:
                if isInside { throw .brokenSection(path) }
                isInside = true
            case end:
                guard isInside else { throw .brokenSection(path) }
                isInside = false
            default: if !isInside { kept.append(Substring(line)) }
            }
        }
        if isInside { throw .brokenSection(path) }
        return kept.joined(separator: "\n")
    }

    /// Refuses what would not work, before anything is changed.
    func requirePossible() throws {
        let doas = try tools.require("doas")
        guard let status = try Directory.open("/etc").statusIfPresent(Self.file) else { return }
        guard status.kind == .regular else { throw SetupError.foreignFile(Self.path) }
        try RootOnlyPath.check(Self.path, .regular)
        if let complaint = try tools.complaint(doas, ["-C", RawString(Self.path.rawValue)]) {
            throw SetupError.brokenConfiguration(Self.path, complaint)
        }
        _ = try Self.without(try Self.content())
    }

    static var isThere: Bool { access(path.rawValue, F_OK) == 0 }

    private static func content() throws -> String {
        let bytes = try Directory.open("/etc").readFile(file, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SetupError.brokenConfiguration(path, "it is not text in UTF-8")
        }
        return text
    }

    /// Writes the rule; false when it is there.
    func install(for program: HostPath) throws -> Bool {
        let doas = try tools.require("doas")
        let etc = try Directory.open("/etc")
        let status = try etc.statusIfPresent(Self.file)
        let text = status == nil ? "" : try Self.content()
        let wanted = try Self.without(text) + Self.section(program)
        if text == wanted {
            try etc.removeUnfinished()
            return false
        }
        try etc.replaceFile(
            Self.file, with: wanted, mode: status?.permissions ?? 0o400, path: Self.path
        ) { path in try tools.complaint(doas, ["-C", RawString(path.rawValue)]) }
        return true
    }

    /// Takes the rule away, and the file if setup has made it and nothing is left in it; false when there is none.
    func remove(madeFile: Bool) throws -> Bool {
        let etc = try Directory.open("/etc")
        try etc.removeUnfinished()
        guard let status = try etc.statusIfPresent(Self.file), status.kind == .regular else { return false }
        let text = try Self.content()
        let rest = try Self.without(text)
        if rest == text { return false }
        if rest.isEmpty, madeFile {
            try etc.removeFile(Self.file)
            try etc.synchronize()
            return true
        }
        let doas = tools.find("doas")
        try etc.replaceFile(Self.file, with: rest, mode: status.permissions, path: Self.path) { path in
            try doas.flatMap { try tools.complaint($0, ["-C", RawString(path.rawValue)]) }
        }
        return true
    }
}
